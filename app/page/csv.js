/** The answers as a table (RFC 4180): a line for each picture, a column for each class's score. */
export function csvOf(entries) {
  const labels = [...new Set(entries.flatMap(({ answer }) => labelsOf(answer)))].sort();
  const header = [
    "file", "label", "score", ...labels.map((label) => `score_${label}`), "in_domain", "typicality",
    "width", "height", "format", "decode_ms", "queue_ms", "inference_ms",
    "model", "version", "problem",
  ];
  return [header, ...entries.map((entry) => rowOf(entry, labels))].map(lineOf).join("");
}

/** Let the browser save a text as a file. */
export function save(text, name, type) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([text], { type }));
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000); // once the download has begun
}

function rowOf({ name, answer, problem }, labels) {
  const scores = new Map(answer?.predictions.map(({ label, score }) => [label, score]));
  const { image, timing_ms: time, model } = answer ?? {};
  return [
    name, answer?.label, answer?.score, ...labels.map((label) => scores.get(label)),
    answer?.in_domain, answer?.typicality, image?.width, image?.height, image?.format,
    time?.decode, time?.queue, time?.inference, model?.name, model?.version, problem?.message,
  ];
}

function labelsOf(answer) {
  return answer?.predictions.map(({ label }) => label) ?? [];
}

function lineOf(values) {
  return `${values.map((value) => quoted(inert(value ?? ""))).join(",")}\r\n`;
}

/** A text that spreadsheets would run as a formula gets an apostrophe, which tells them not to. */
function inert(value) {
  return typeof value === "string" && /^[=+\-@\t\r\n]/.test(value) ? `'${value}` : String(value);
}

function quoted(text) {
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

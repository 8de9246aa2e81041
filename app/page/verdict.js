/** What an answer of the service is in words. */

// How far the best score must be on the way from guessing to certainty: 0.7 of two classes.
const SURE = 0.4;

/** A percentage; with a decimal near the ends, where only certainty is 0% or 100%. */
export function percent(score) {
  const exact = score * 100;
  if (exact === 0 || exact === 100 || (exact >= 10 && exact <= 90)) return `${Math.round(exact)}%`;
  return `${Math.min(99.9, Math.max(0.1, exact)).toFixed(1)}%`;
}

/**
 * How an answer is to be taken.
 *
 * kind: "sure", "unsure" or "neither"; headline: a few words; aside: what the headline leaves out.
 */
export function verdictOf({ label, score, predictions, in_domain }) {
  const closest = `${label}, ${percent(score)}`;
  if (in_domain === false) {
    const headline = predictions.length === 2 ? "Probably neither" : "Probably none of these";
    return { kind: "neither", headline, aside: `Looks most like ${closest}` };
  }
  const chance = 1 / predictions.length;
  if ((score - chance) / (1 - chance) < SURE) {
    return { kind: "unsure", headline: "Not sure", aside: `Perhaps ${closest}` };
  }
  return { kind: "sure", headline: capitalized(label), aside: "" };
}

/** "20 pictures: 11 cat, 8 dog, 1 not sure", of answers; undefined stands for none. */
export function summaryOf(answers) {
  const counts = new Map();
  for (const answer of answers) {
    const outcome = answer ? outcomeOf(answer) : "without an answer";
    counts.set(outcome, (counts.get(outcome) ?? 0) + 1);
  }
  const common = [...counts].sort(([, count], [, other]) => other - count);
  const parts = common.map(([outcome, count]) => `${count} ${outcome}`);
  return `${answers.length} ${answers.length === 1 ? "picture" : "pictures"}: ${parts.join(", ")}`;
}

/** "Cat or dog?", or a question that fits any number of classes. */
export function questionOf(labels) {
  if (labels.length > 4) return "What does it show?";
  const list = new Intl.ListFormat("en", { type: "disjunction" }).format(labels);
  return `${capitalized(list)}?`;
}

function outcomeOf(answer) {
  const { kind, headline } = verdictOf(answer);
  return kind === "sure" ? answer.label : headline.toLowerCase();
}

function capitalized(text) {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

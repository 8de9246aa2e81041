/** The model that answers, in the page's head. */
import { Problem, describeModel } from "./service.js";
import { percent, questionOf } from "./verdict.js";

export async function showModel() {
  const line = document.getElementById("model");
  try {
    const model = await describeModel();
    const question = questionOf(model.labels);
    document.getElementById("question").textContent = question;
    document.title = `${question} AlexNet`;
    line.textContent = factsOf(model).join(" · ");
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    line.textContent = error.message;
  }
}

function factsOf({ name, version, metrics, engine, device }) {
  const facts = [`${name} ${version}`];
  const measured = metricsOf(metrics, engine);
  if (measured) {
    const count = measured.images.toLocaleString("en");
    facts.push(`${(measured.accuracy * 100).toFixed(1)}% of ${count} validation pictures right`);
  }
  return [...facts, `${engine} on ${device}`];
}

/** Metrics are by form, such as "litert_int8"; the engine's own tell most of what is served. */
function metricsOf(metrics, engine) {
  const own = Object.keys(metrics).find((form) => form.startsWith(engine.toLowerCase()));
  return metrics[own] ?? Object.values(metrics)[0];
}

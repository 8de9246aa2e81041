/** What the page asks of the service. Paths are relative: it may be served below any address. */
import { fetchWithKey } from "./key.js";

const MOST_REFUSALS = 100;
const DEFAULT_WAIT_SECONDS = 1;

/** Why there is no answer, in a sentence for the person who reads the page. */
export class Problem extends Error {
  /** `mayPass`: whether the same request may be answered later. */
  constructor(sentence, mayPass) {
    super(sentence);
    this.mayPass = mayPass;
  }
}

/** What a person is told of an error: of one that is no Problem, that the answer was none. */
export function asProblem(error) {
  if (error instanceof Problem) return error;
  return new Problem("The answer did not arrive whole, or is not the service's.", true);
}

/** The model card, with engine and device. */
export const describeModel = () => ask("models");

/** The classes of a picture. Throws a Problem, or an AbortError after the signal. */
export const classify = (file, signal) => ask("predict", { ...upload(file), signal });

/** Which parts of a picture its label comes from. Throws as `classify`. */
export const explain = (file, signal) => ask("explain", { ...upload(file), signal });

function upload(file) {
  const body = new FormData();
  body.append("file", file);
  return { method: "POST", body };
}

async function ask(path, options = {}) {
  for (let refusals = 0; ; refusals += 1) {
    const response = await reach(path, options);
    if (response.ok) return answerIn(response);
    const wait = response.status === 503 ? response.headers.get("Retry-After") : null;
    if (wait === null || refusals === MOST_REFUSALS) throw await problemIn(response);
    await pause(secondsOf(wait), options.signal);
  }
}

async function reach(path, options) {
  try {
    return await fetchWithKey(path, options);
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Problem("The service cannot be reached, or the file cannot be read.", true);
  }
}

/** A proxy's page is not JSON, and a connection may break off. */
async function answerIn(response) {
  try {
    return await response.json();
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw asProblem(error);
  }
}

async function problemIn(response) {
  const mayPass = response.status >= 500;
  const problem = await response.json().catch(() => ({})); // a proxy's error is not JSON
  const status = `${response.status} ${response.statusText}`.trim();
  return new Problem(problem.detail ?? `The service answered with ${status}.`, mayPass);
}

/** Retry-After is a number of seconds, or a date. */
function secondsOf(retryAfter) {
  const seconds = Number(retryAfter);
  if (!Number.isNaN(seconds)) return seconds;
  const until = (Date.parse(retryAfter) - Date.now()) / 1000;
  return Number.isNaN(until) ? DEFAULT_WAIT_SECONDS : Math.max(0, until);
}

function pause(seconds, signal) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, seconds * 1000);
    signal?.addEventListener("abort", () => {
      clearTimeout(timer);
      reject(signal.reason);
    });
  });
}

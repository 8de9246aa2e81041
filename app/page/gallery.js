/** All pictures on the page, from the upload to the table that is downloaded. */
import { announce } from "./announce.js";
import { Card } from "./card.js";
import { csvOf, save } from "./csv.js";
import { Queue } from "./queue.js";
import { Problem, asProblem, classify, explain } from "./service.js";
import { summaryOf, verdictOf } from "./verdict.js";

const AT_ONCE = 4;
const EXPLAINED_AT_ONCE = 2;
// Of more pictures at a time, only their summary is announced.
const MOST_ANNOUNCED = 3;

const part = (id) => document.getElementById(id);

export class Gallery {
  #queue = new Queue(AT_ONCE);
  #explanations = new Queue(EXPLAINED_AT_ONCE);
  #entries = [];

  constructor() {
    part("cancel").addEventListener("click", () => {
      this.#queue.cancel();
      part("pick").focus(); // the button that had the focus goes
    });
    part("clear").addEventListener("click", () => this.#clear());
    part("download").addEventListener("click", () => {
      // The mark tells spreadsheets that it is UTF-8.
      save(`\ufeff${csvOf(this.#entries)}`, "answers.csv", "text/csv");
    });
  }

  /** Show the pictures above what is there, and have them classified. */
  async add(pictures) {
    const added = pictures.map((picture) => this.#entryOf(picture));
    part("gallery").prepend(...added.map((entry) => entry.card.element));
    this.#entries = [...added, ...this.#entries];
    const few = added.length <= MOST_ANNOUNCED;
    await Promise.all(added.map((entry) => this.#classify(entry, few)));
    const kept = added.filter((entry) => this.#entries.includes(entry));
    if (!few && kept.length > 0) announce(summaryOf(kept.map((entry) => entry.answer)));
  }

  #entryOf({ file, name }) {
    const entry = { file, name, busy: false };
    entry.card = new Card(file, name, {
      again: () => this.#classify(entry, true),
      explain: () => this.#explanations.add((signal) => explain(file, signal)),
    });
    return entry;
  }

  async #classify(entry, announced) {
    entry.busy = true;
    entry.problem = undefined;
    entry.card.showWaiting();
    this.#showState();
    try {
      entry.answer = await this.#queue.add((signal) => classify(entry.file, signal));
      entry.card.showAnswer(entry.answer);
    } catch (error) {
      entry.answer = undefined;
      entry.problem = problemOf(error);
      entry.card.showProblem(entry.problem.message, entry.problem.mayPass);
    }
    entry.busy = false;
    this.#showState();
    if (announced && this.#entries.includes(entry)) announce(inWords(entry));
  }

  #clear() {
    this.#queue.cancel();
    this.#explanations.cancel();
    for (const { card } of this.#entries) card.remove();
    this.#entries = [];
    this.#showState();
    part("pick").focus();
  }

  #showState() {
    const done = this.#entries.filter((entry) => !entry.busy);
    const total = this.#entries.length;
    const busy = done.length < total;
    document.body.classList.toggle("has-pictures", total > 0);
    part("results").hidden = total === 0;
    part("progress").max = Math.max(1, total);
    part("progress").value = done.length;
    const left = !busy && document.activeElement === part("cancel");
    part("progress").hidden = part("cancel").hidden = !busy;
    if (left) part("clear").focus(); // the button that had the focus went by itself
    part("download").hidden = total < 2 || busy;
    part("summary").textContent = busy
      ? `${done.length} of ${total}`
      : summaryOf(done.map((entry) => entry.answer));
  }
}

function problemOf(error) {
  if (error.name === "AbortError") return new Problem("Cancelled.", true);
  return asProblem(error);
}

function inWords({ name, answer, problem }) {
  if (problem) return `${name}: ${problem.message}`;
  const { headline, aside } = verdictOf(answer);
  return `${name}: ${aside ? `${headline}. ${aside}` : headline}`;
}

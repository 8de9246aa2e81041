/** One picture on the page: what is seen of it, and of the answer. */
import { announce } from "./announce.js";
import { heatInWords, paintHeat } from "./heat.js";
import { asProblem } from "./service.js";
import { percent, verdictOf } from "./verdict.js";

const SCORES_SHOWN = 5;

// Of hundreds of photographs at full size, only those near the window are kept decoded.
const nearby = new IntersectionObserver(
  (changes) => {
    for (const { target, isIntersecting } of changes) {
      target.dispatchEvent(new Event(isIntersecting ? "near" : "far"));
    }
  },
  { rootMargin: "100%" },
);

export class Card {
  element = document.getElementById("card").content.cloneNode(true).firstElementChild;
  #name;
  #address;
  #explain;

  /** `again()` is called where another try is asked for; `explain()` promises a grid. */
  constructor(file, name, { again, explain }) {
    this.#name = name;
    this.#explain = explain;
    this.#address = URL.createObjectURL(file);
    this.#part(".name").textContent = name;
    this.#part(".again").addEventListener("click", () => {
      this.#part(".verdict").focus(); // the button that had the focus goes
      again();
    });
    this.#part(".why").addEventListener("click", () => this.#toggleWhy());
    const picture = this.#part(".picture");
    picture.alt = name;
    picture.addEventListener("error", () => this.#showNoView());
    this.element.addEventListener("near", () => {
      picture.src = this.#address;
    });
    this.element.addEventListener("far", () => picture.removeAttribute("src"));
    nearby.observe(this.element);
    this.showWaiting();
  }

  showWaiting() {
    this.#show("waiting", "Looking…");
    this.#part(".problem").hidden = this.#part(".again").hidden = true;
  }

  showAnswer(answer) {
    const { kind, headline, aside } = verdictOf(answer);
    this.#show(kind, headline, aside);
    fillScores(this.#part(".scores"), answer.predictions.slice(0, SCORES_SHOWN));
    this.#showMoreScores(answer.predictions.slice(SCORES_SHOWN));
    this.#showFacts(answer);
    this.#part(".why").hidden = false;
  }

  showProblem(sentence, mayPass) {
    this.#show("failed", "No answer");
    this.#part(".problem").textContent = sentence;
    this.#part(".problem").hidden = false;
    this.#part(".again").hidden = !mayPass;
  }

  /** Take the card from the page, and let the browser forget the picture. */
  remove() {
    nearby.unobserve(this.element);
    this.element.remove();
    URL.revokeObjectURL(this.#address);
  }

  #part(selector) {
    return this.element.querySelector(selector);
  }

  #show(state, headline, aside = "") {
    this.element.dataset.state = state;
    this.#part(".verdict").textContent = headline;
    this.#part(".aside").textContent = aside;
    this.#part(".aside").hidden = aside === "";
  }

  #showNoView() {
    nearby.unobserve(this.element); // it would be tried again
    const kind = this.#name.split(".").slice(1).pop()?.toUpperCase();
    this.#part(".picture").hidden = true;
    this.#part(".no-view").hidden = false;
    this.#part(".no-view").textContent = kind ? `No preview of ${kind}` : "No preview";
  }

  #showMoreScores(predictions) {
    const more = this.#part(".more-scores");
    more.hidden = predictions.length === 0;
    more.querySelector("summary").textContent = `${predictions.length} more`;
    fillScores(more.querySelector(".scores"), predictions);
  }

  #showFacts({ timing_ms: time, image, typicality }) {
    const facts = {
      Picture: `${image.width} × ${image.height}, ${image.format}`,
      Decoding: `${time.decode} ms`,
      Waiting: `${time.queue} ms`,
      Inference: `${time.inference} ms`,
    };
    if (typicality !== null) facts.Typicality = `above ${percent(typicality)} of validation`;
    const took = time.decode + time.queue + time.inference;
    const details = this.#part(".facts");
    details.hidden = false;
    details.querySelector("summary").textContent = `${took.toFixed(took < 10 ? 1 : 0)} ms`;
    details.querySelector("dl").replaceChildren(...Object.entries(facts).flatMap(termAndFact));
  }

  async #toggleWhy() {
    const button = this.#part(".why");
    if (button.getAttribute("aria-busy") === "true") return;
    const shown = button.getAttribute("aria-pressed") === "true";
    if (!shown && !this.#part(".heat").ariaLabel) await this.#loadHeat(button);
    this.#showHeat(button, !shown);
  }

  async #loadHeat(button) {
    button.setAttribute("aria-busy", "true");
    const reason = this.#part(".reason");
    reason.textContent = "Looking why…";
    reason.hidden = false;
    announce(reason.textContent);
    try {
      const { grid, label, image } = await this.#explain();
      paintHeat(this.#part(".heat"), grid, image);
      reason.textContent = heatInWords(grid, label);
      this.#part(".heat").ariaLabel = `Heat map. ${reason.textContent}`;
    } catch (error) {
      if (error.name === "AbortError") return; // the card has gone
      reason.textContent = asProblem(error).message;
    }
    button.setAttribute("aria-busy", "false");
    announce(reason.textContent);
  }

  #showHeat(button, shown) {
    button.setAttribute("aria-pressed", String(shown));
    this.#part(".reason").hidden = !shown;
    this.#part(".heat").hidden = !shown || !this.#part(".heat").ariaLabel;
    this.element.classList.toggle("explained", !this.#part(".heat").hidden);
  }
}

function fillScores(list, predictions) {
  list.hidden = false;
  list.replaceChildren(...predictions.map(scoreLine));
}

function scoreLine({ label, score }) {
  const line = document.getElementById("score").content.cloneNode(true);
  line.querySelector(".label").textContent = label;
  line.querySelector(".percent").textContent = percent(score);
  line.querySelector(".fill").style.inlineSize = `${score * 100}%`;
  return line;
}

function termAndFact([term, fact]) {
  const [name, value] = [document.createElement("dt"), document.createElement("dd")];
  name.textContent = term;
  value.textContent = fact;
  return [name, value];
}

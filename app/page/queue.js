/** Runs jobs in the order in which they came, at most `width` at a time. */
export class Queue {
  #width;
  #running = 0;
  #waiting = [];
  #stop = new AbortController();

  constructor(width) {
    this.#width = width;
  }

  /** What `job(signal)` promises, once it is its turn. */
  add(job) {
    const { signal } = this.#stop;
    return new Promise((resolve, reject) => {
      this.#waiting.push(() => job(signal).then(resolve, reject));
      this.#advance();
    });
  }

  /** Abort the signal of every job there is; those that wait are still run, and may reject. */
  cancel() {
    this.#stop.abort();
    this.#stop = new AbortController();
  }

  #advance() {
    while (this.#running < this.#width && this.#waiting.length > 0) {
      this.#running += 1;
      this.#waiting.shift()().finally(() => {
        this.#running -= 1;
        this.#advance();
      });
    }
  }
}

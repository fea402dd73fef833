const everyMs = 20;

/** How long this machine keeps a process waiting that is due: what a limit of time has to allow for on a busy one. */
export class Lag implements Disposable {
  readonly #timer: ReturnType<typeof setInterval>;
  #wokenAt = performance.now();
  #worstMs = 0;

  constructor() {
    this.#timer = setInterval(() => {
      this.#worstMs = this.worstMs;
      this.#wokenAt = performance.now();
    }, everyMs);
  }

  /** The longest wait so far, milliseconds; one that goes on counts. */
  get worstMs(): number {
    return Math.max(this.#worstMs, performance.now() - this.#wokenAt - everyMs);
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }
}

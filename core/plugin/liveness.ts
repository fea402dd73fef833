export interface LivenessOptions {
  /** Resolves with false after `timeoutMs` without an answer, else with true. */
  ping(timeoutMs: number): Promise<boolean>;
  readonly intervalMs: number;
  readonly timeoutMs: number;
  /** Called once. */
  onDead(): void;
}

/**
 * Asks for a sign of life at intervals and whenever there is doubt. An isolate in an endless loop answers nothing, and one that
 * closed itself tells nobody: silence is the only sign of both.
 */
export class Liveness implements Disposable {
  readonly #options: LivenessOptions;
  #timer: ReturnType<typeof setInterval> | undefined;
  #checking = false;
  #over = false;

  constructor(options: LivenessOptions) {
    this.#options = options;
  }

  /** Begins to ask at intervals: whoever is still loading has a deadline of its own. */
  watch(): void {
    if (!this.#over) this.#timer ??= setInterval(() => this.check(), this.#options.intervalMs);
  }

  /** Asks now, unless an answer is already awaited or nothing is asked yet. */
  check(): void {
    if (!this.#checking && this.#timer !== undefined) void this.#check();
  }

  async #check(): Promise<void> {
    const { timeoutMs } = this.#options;
    this.#checking = true;
    try {
      for (;;) {
        const asked = performance.now();
        const alive = await this.#options.ping(timeoutMs);
        if (alive || this.#over) return;
        // A wait that took far longer than asked for means that this process was stopped, which says nothing of the other side.
        if (performance.now() - asked < 2 * timeoutMs) break;
      }
      this[Symbol.dispose]();
      this.#options.onDead();
    } finally {
      this.#checking = false;
    }
  }

  [Symbol.dispose](): void {
    this.#over = true;
    clearInterval(this.#timer);
  }
}

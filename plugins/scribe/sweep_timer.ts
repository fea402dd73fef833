/** Between two looks at the ephemeral nodes, however short their time. */
const leastMs = 1_000;

/** How long until the ephemeral nodes are looked at again: none of them stays for much longer than its time. */
export function sweepDelayMs(ttls: Iterable<number>, mostMs: number): number {
  let shortest = Infinity;
  for (const ttl of ttls) shortest = Math.min(shortest, ttl);
  return Math.min(Math.max(shortest / 4, leastMs), mostMs);
}

export interface SweepTimerOptions {
  /** From now, milliseconds. */
  delay(): number;
  /** Never rejects. */
  sweep(): Promise<void>;
  /** Monotonic milliseconds. */
  now(): number;
}

/** Sweeps again and again, each time after the delay that is right by then. */
export class SweepTimer implements AsyncDisposable {
  readonly #options: SweepTimerOptions;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #dueAt = Infinity;
  #sweeping: Promise<void> = Promise.resolve();
  #stopped = false;

  constructor(options: SweepTimerOptions) {
    this.#options = options;
  }

  /** The delay may have become shorter; also begins. */
  update(): void {
    const { delay, now, sweep } = this.#options;
    const wait = delay();
    const dueAt = now() + wait;
    if (this.#stopped || dueAt >= this.#dueAt) return;
    clearTimeout(this.#timer);
    this.#dueAt = dueAt;
    this.#timer = setTimeout(() => {
      this.#sweeping = sweep().then(() => {
        this.#dueAt = Infinity;
        this.update();
      });
    }, wait);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#timer);
    await this.#sweeping;
  }
}

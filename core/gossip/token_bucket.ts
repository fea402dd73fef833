/** A rate with a burst, on caller's time. Two numbers, so that one per record is affordable. */
export class TokenBucket {
  readonly #burst: number;
  readonly #perMs: number;
  #tokens: number;
  #at: number;

  constructor(burst: number, perSecond: number, now: number) {
    this.#burst = burst;
    this.#perMs = perSecond / 1000;
    this.#tokens = burst;
    this.#at = now;
  }

  /** True when `count` could be taken now. */
  has(count: number, now: number): boolean {
    this.#refill(now);
    return this.#tokens >= count;
  }

  /** Takes `count`, or nothing and says false. */
  take(count: number, now: number): boolean {
    if (!this.has(count, now)) return false;
    this.#tokens -= count;
    return true;
  }

  /** Milliseconds from `now` until `count` can be taken; 0 when they can be now. */
  waitFor(count: number, now: number): number {
    this.#refill(now);
    return this.#tokens >= count ? 0 : Math.ceil((count - this.#tokens) / this.#perMs);
  }

  #refill(now: number): void {
    if (now <= this.#at) return;
    this.#tokens = Math.min(this.#burst, this.#tokens + (now - this.#at) * this.#perMs);
    this.#at = now;
  }
}

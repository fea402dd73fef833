/** Sans-I/O token bucket: `burst` at once, then `perSecond`. */
export class RateLimit {
  readonly #burst: number;
  readonly #perMs: number;
  #level: number;
  #at: number;

  /** @param now monotonic milliseconds, as in `take` */
  constructor(burst: number, perSecond: number, now: number) {
    this.#burst = burst;
    this.#perMs = perSecond / 1000;
    this.#level = burst;
    this.#at = now;
  }

  take(now: number): boolean {
    const elapsed = Math.max(0, now - this.#at);
    this.#at = now;
    this.#level = Math.min(this.#burst, this.#level + elapsed * this.#perMs);
    if (this.#level < 1) return false;
    this.#level -= 1;
    return true;
  }
}

/** One bucket for each source; the one not seen for longest is forgotten beyond `maxSources`. */
export class RateLimits {
  readonly #burst: number;
  readonly #perSecond: number;
  readonly #maxSources: number;
  readonly #limits = new Map<string, RateLimit>();

  constructor(burst: number, perSecond: number, maxSources: number) {
    this.#burst = burst;
    this.#perSecond = perSecond;
    this.#maxSources = maxSources;
  }

  take(source: string, now: number): boolean {
    const limit = this.#limits.get(source) ?? new RateLimit(this.#burst, this.#perSecond, now);
    this.#limits.delete(source);
    this.#limits.set(source, limit);
    if (this.#limits.size > this.#maxSources) {
      const oldest = this.#limits.keys().next();
      if (!oldest.done) this.#limits.delete(oldest.value);
    }
    return limit.take(now);
  }
}

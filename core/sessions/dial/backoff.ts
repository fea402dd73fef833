/** Waits in milliseconds. */
export interface BackoffOptions {
  /** Uniform in [0, 1). */
  readonly random: () => number;
  /** @default 1000 */
  readonly firstMs?: number;
  /** @default 60000 */
  readonly maxMs?: number;
  /** A connection that lived at least this long was a good one. @default 5000 */
  readonly goodMs?: number;
}

/**
 * Exponential backoff with jitter, sans-I/O: 1 s doubling to 60 s, each wait drawn from its upper half, so that a thousand nodes that
 * lost one relay do not come back in one second. Only a connection that lived resets it: a peer that accepts and closes at once
 * must not be dialled without a pause.
 */
export class Backoff {
  readonly #random: () => number;
  readonly #firstMs: number;
  readonly #maxMs: number;
  readonly #goodMs: number;
  #failures = 0;

  constructor(options: BackoffOptions) {
    this.#random = options.random;
    this.#firstMs = options.firstMs ?? 1_000;
    this.#maxMs = options.maxMs ?? 60_000;
    this.#goodMs = options.goodMs ?? 5_000;
  }

  /** An attempt failed. @returns milliseconds to wait before the next */
  failed(): number {
    const full = Math.min(this.#maxMs, this.#firstMs * 2 ** Math.min(this.#failures, 30));
    this.#failures++;
    return full / 2 + this.#random() * full / 2;
  }

  /** A connection that had worked ended after `livedMs`. @returns milliseconds to wait before the next attempt */
  ended(livedMs: number): number {
    if (livedMs < this.#goodMs) return this.failed();
    this.#failures = 0;
    return this.#random() * this.#firstMs / 2;
  }
}

import { TokenBucket } from "../gossip/token_bucket.ts";

export interface RateTableOptions {
  /** How many at once. */
  readonly burst: number;
  readonly perSecond: number;
  /** Keys remembered; the one that was heard of least lately makes room, and would begin anew. */
  readonly size: number;
}

/** A rate for each of many, in bounded memory. */
export class RateTable {
  readonly #options: RateTableOptions;
  /** In the order they were last asked about. */
  readonly #buckets = new Map<string, TokenBucket>();

  constructor(options: RateTableOptions) {
    this.#options = options;
  }

  /**
   * Counts one more.
   * @param now monotonic milliseconds
   * @returns milliseconds until it would have been in order; 0 when it is now
   */
  take(key: string, now: number): number {
    const { burst, perSecond, size } = this.#options;
    const bucket = this.#buckets.get(key) ?? new TokenBucket(burst, perSecond, now);
    this.#buckets.delete(key);
    this.#buckets.set(key, bucket);
    if (this.#buckets.size > size) this.#buckets.delete(this.#buckets.keys().next().value!);
    return bucket.take(1, now) ? 0 : bucket.waitFor(1, now);
  }

  /** Keys remembered now. */
  get size(): number {
    return this.#buckets.size;
  }
}

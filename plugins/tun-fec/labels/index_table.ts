import { PulseError } from "../../../core/errors/mod.ts";

/** Names a node gives out at most: keys of peers and paths of others together. */
export const maxIndexes = 65_536;

/**
 * What a receiver index on the data port means here: one number space for keys (mine: open it) and labels (not mine: pass it on).
 * Indexes are drawn at random below 2^30, so that a stranger who guesses meets 1 in 16,000 at most and small integers stay small.
 */
export class IndexTable<T> {
  readonly #random: () => number;
  readonly #entries = new Map<number, T>();

  /** @param random uniform in [0, 1), unpredictable */
  constructor(random: () => number) {
    this.#random = random;
  }

  get size(): number {
    return this.#entries.size;
  }

  /** Gives an entry an index nobody has. @throws {PulseError} INDEX_TABLE_FULL */
  add(entry: T): number {
    if (this.#entries.size >= maxIndexes) {
      throw new PulseError(
        "INDEX_TABLE_FULL",
        `This node has given out ${maxIndexes} names for keys and paths already`,
      );
    }
    let index: number;
    do index = Math.floor(this.#random() * (2 ** 30 - 1)) + 1; while (this.#entries.has(index));
    this.#entries.set(index, entry);
    return index;
  }

  get(index: number): T | undefined {
    return this.#entries.get(index);
  }

  remove(index: number): void {
    this.#entries.delete(index);
  }
}

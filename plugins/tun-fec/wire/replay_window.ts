/** Counters that may arrive out of order and still be taken. RFC 6479, with a window of 8192. */
export const replayWindow = 8192;

const words = replayWindow / 32;

/**
 * Which counters have been seen (RFC 6479: a ring of bits that is moved by whole words, so one word of it is spent on the move).
 * Counters are integers below 2^53; the sender rekeys long before.
 */
export class ReplayWindow {
  readonly #seen = new Uint32Array(words);
  #highest = -1;

  /** Highest counter taken; -1 before the first. */
  get highest(): number {
    return this.#highest;
  }

  /** Takes a counter whose packet has been authenticated. False: seen before, or too old to tell. */
  take(counter: number): boolean {
    const bit = 1 << (counter % 32);
    if (counter > this.#highest) {
      this.#advance(counter);
    } else if (this.#highest - counter >= replayWindow - 32) {
      return false;
    }
    const word = Math.floor(counter / 32) % words;
    if ((this.#seen[word]! & bit) !== 0) return false;
    this.#seen[word]! |= bit;
    return true;
  }

  /** Whether it would be refused: a replay costs no more than this. */
  refuses(counter: number): boolean {
    if (counter > this.#highest) return false;
    if (this.#highest - counter >= replayWindow - 32) return true;
    return (this.#seen[Math.floor(counter / 32) % words]! & 1 << (counter % 32)) !== 0;
  }

  #advance(to: number): void {
    const from = Math.floor(this.#highest / 32);
    const until = Math.floor(to / 32);
    if (until - from >= words) this.#seen.fill(0);
    else for (let word = from + 1; word <= until; word++) this.#seen[word % words] = 0;
    this.#highest = to;
  }
}

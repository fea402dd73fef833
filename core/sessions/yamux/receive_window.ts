import { INITIAL_WINDOW } from "./frame.ts";

/** What all streams of a session together may grow beyond their initial windows, in bytes. */
export interface GrowthBudget {
  left: number;
}

/** A half window read faster than this is worth a larger one even when the round trip is tiny: 6.5 MB/s and more. */
const FAST_MS = 20;

/**
 * Credit of one receiving direction. Always: available + waiting to be read + read but not yet returned = limit.
 *
 * The window doubles when half of it was read within two round trips: only then can it be what holds the sender up
 * (rate <= window / RTT). A slow reader never gets more than it has.
 */
export class ReceiveWindow {
  readonly #max: number;
  readonly #budget: GrowthBudget;
  #limit = INITIAL_WINDOW;
  #available = INITIAL_WINDOW;
  #unreturned = 0;
  #lastReturn: number;

  constructor(max: number, budget: GrowthBudget, now: number) {
    this.#max = max;
    this.#budget = budget;
    this.#lastReturn = now;
  }

  /** Bytes the peer may still send. */
  get available(): number {
    return this.#available;
  }

  /** Current size of the whole window. */
  get limit(): number {
    return this.#limit;
  }

  /** Accounts for `bytes` that arrive. False: more than was granted, the peer broke the protocol. */
  receive(bytes: number): boolean {
    if (bytes > this.#available) return false;
    this.#available -= bytes;
    return true;
  }

  /** Accounts for `bytes` that were read; returns the credit to send to the peer now, 0 for none yet. */
  consume(bytes: number, now: number, roundTripMs: number): number {
    this.#unreturned += bytes;
    if (this.#unreturned * 2 < this.#limit) return 0;
    let credit = this.#unreturned;
    if (now - this.#lastReturn < Math.max(FAST_MS, 2 * roundTripMs)) {
      const growth = Math.max(
        0,
        Math.min(this.#limit, this.#max - this.#limit, this.#budget.left),
      );
      this.#budget.left -= growth;
      this.#limit += growth;
      credit += growth;
    }
    this.#lastReturn = now;
    this.#unreturned = 0;
    this.#available += credit;
    return credit;
  }

  /** Gives the grown part back to the session. Once, at the stream's end. */
  release(): void {
    this.#budget.left += this.#limit - INITIAL_WINDOW;
    this.#limit = INITIAL_WINDOW;
  }
}

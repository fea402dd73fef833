/** Lets a burst through and then so many a second; counts what it holds back. */
export class RateGate {
  readonly #burst: number;
  readonly #perSecond: number;
  #tokens: number;
  #at: number;
  #held = 0;

  /** @param now monotonic milliseconds */
  constructor(burst: number, perSecond: number, now: number) {
    this.#burst = burst;
    this.#perSecond = perSecond;
    this.#tokens = burst;
    this.#at = now;
  }

  /** Whether one more may pass at `now`. */
  pass(now: number): boolean {
    this.#tokens = Math.min(this.#burst, this.#tokens + (now - this.#at) * this.#perSecond / 1000);
    this.#at = now;
    if (this.#tokens < 1) {
      this.#held++;
      return false;
    }
    this.#tokens--;
    return true;
  }

  /** How many were held back since the last time this was asked. */
  takeHeld(): number {
    const held = this.#held;
    this.#held = 0;
    return held;
  }
}

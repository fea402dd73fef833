/** Milliseconds, but for `answers` and `share`. */
export const roundTripTimes = {
  /** What is recent, and how many answers of that time are needed to say anything. */
  recent: 3_000,
  answers: 4,
  /** The base is the least of so long, kept in so many parts. */
  base: 300_000,
  parts: 10,
  /** Recent answers are late by at least this, and this share of the base. */
  floor: 20,
  share: 1 / 4,
} as const;

const part = roundTripTimes.base / roundTripTimes.parts;
/** Answers remembered: more than come in `recent`. */
const kept = 32;

/**
 * Tells a path that is full from a machine that is busy. Both make answers late; but a queue on the path makes all of them late, and
 * a scheduler spares some. So it is the least of the recent ones that is held against the least of the last minutes, as LEDBAT does
 * (RFC 6817, 4.1: current delay and base delay are minima, the base kept as a list so that a path may become longer).
 */
export class RoundTrips {
  /** The newest; 0 before the first. */
  last = 0;
  readonly #times = new Float64Array(kept).fill(Infinity);
  readonly #at = new Float64Array(kept).fill(-Infinity);
  #next = 0;
  /** Least of each part of the base's time, and which part that was. */
  readonly #least = new Float64Array(roundTripTimes.parts).fill(Infinity);
  readonly #part = new Float64Array(roundTripTimes.parts).fill(-Infinity);

  /** An answer has come after so long. */
  add(time: number, now: number): void {
    this.last = time;
    this.#times[this.#next] = time;
    this.#at[this.#next] = now;
    this.#next = (this.#next + 1) % kept;
    const current = Math.floor(now / part);
    const slot = current % roundTripTimes.parts;
    if (this.#part[slot] !== current) this.#least[slot] = Infinity;
    this.#part[slot] = current;
    if (time < this.#least[slot]!) this.#least[slot] = time;
  }

  /** Recent answers were all late: something on the path is full. */
  inflated(now: number): boolean {
    let recent = Infinity;
    let answers = 0;
    for (let i = 0; i < kept; i++) {
      if (now - this.#at[i]! > roundTripTimes.recent) continue;
      answers++;
      if (this.#times[i]! < recent) recent = this.#times[i]!;
    }
    if (answers < roundTripTimes.answers) return false;
    const base = this.#base(now);
    return recent > base + Math.max(roundTripTimes.floor, base * roundTripTimes.share);
  }

  /** It is another path now. */
  clear(): void {
    this.#at.fill(-Infinity);
    this.#part.fill(-Infinity);
  }

  #base(now: number): number {
    const oldest = Math.floor(now / part) - roundTripTimes.parts;
    let base = Infinity;
    for (let slot = 0; slot < roundTripTimes.parts; slot++) {
      if (this.#part[slot]! > oldest && this.#least[slot]! < base) base = this.#least[slot]!;
    }
    return base;
  }
}

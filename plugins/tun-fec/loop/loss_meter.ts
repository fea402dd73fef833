/** Counters there are bits for, how many are looked at together, and how far behind the highest they have to be. */
const words = 8_192 / 32;
const batch = 4_096;
const settled = 2_048;

/**
 * How many segments of a way were lost before any repair, and how many in a row. A counter is judged when so many later ones have
 * come, or so much time has passed, that it will not come any more.
 */
export class LossMeter {
  readonly #arrived = new Uint32Array(words);
  /** Counters below this have been judged. */
  #judged = -1;
  #highest = -1;
  /** The highest at the last look. */
  #before = -1;
  #inRun = false;
  /** Since they were taken last. */
  #segments = 0;
  #lost = 0;
  #runs = 0;

  /** A segment has come by itself. Counters before the first one are no losses: they were another receiver's. */
  arrived(counter: number): void {
    if (this.#judged < 0) this.#judged = counter;
    if (counter < this.#judged) return;
    if (counter - this.#judged >= batch) {
      this.#judge(counter - settled);
    }
    this.#arrived[(counter >>> 5) % words]! |= 1 << (counter & 31);
    if (counter > this.#highest) this.#highest = counter;
  }

  /** Time has passed: what has not come since the last look, and is older than what had come then, is lost. */
  look(): void {
    if (this.#before >= this.#judged) this.#judge(this.#before + 1);
    this.#before = this.#highest;
  }

  /** Segments judged since they were taken. */
  get segments(): number {
    return this.#segments;
  }

  get lost(): number {
    return this.#lost;
  }

  /** Mean number of segments lost in a row; 1 when none was. */
  get burst(): number {
    return this.#runs === 0 ? 1 : Math.max(1, this.#lost / this.#runs);
  }

  /** Begins to count anew. */
  take(): void {
    this.#segments = this.#lost = this.#runs = 0;
  }

  #judge(until: number): void {
    const known = Math.min(until, this.#highest + 1);
    for (let counter = this.#judged; counter < known; counter++) {
      const word = (counter >>> 5) % words;
      const bit = 1 << (counter & 31);
      if ((this.#arrived[word]! & bit) === 0) this.#count(1);
      else {
        this.#arrived[word]! ^= bit;
        this.#segments++;
        this.#inRun = false;
      }
    }
    // Behind the highest nothing has come.
    if (until > known) this.#count(until - known);
    this.#judged = until;
  }

  #count(lost: number): void {
    if (!this.#inRun) this.#runs++;
    this.#inRun = true;
    this.#segments += lost;
    this.#lost += lost;
  }
}

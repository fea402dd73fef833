/** Decides of each datagram, in the order they are sent, whether it is lost. */
export interface LossModel {
  /** Share that is lost in the long run. */
  readonly loss: number;
  /** Mean number lost in a row. */
  readonly burst: number;
  /** Whether the next one is. */
  next(): boolean;
}

/** Chances of the model of Gilbert and Elliott; all within [0, 1]. */
export interface GilbertElliottChances {
  /** That a good spell ends with a datagram, and that a bad one does; not both 0. */
  readonly toBad: number;
  readonly toGood: number;
  /** Of a datagram to be lost in a good spell. @default {0} */
  readonly lostInGood?: number;
  /** ... and in a bad one. @default {1} */
  readonly lostInBad?: number;
}

/**
 * Loss that comes in bursts: a chain of two states, each with its own chance of loss (Gilbert 1960, Elliott 1963). With `p` to
 * become bad, `r` to become good, and loss `g` and `b` in the two:
 *
 * ```
 * bad   = p / (p + r)                                                    share of datagrams sent in a bad spell
 * loss  = (1 - bad) g + bad b
 * both  = (1 - bad) g ((1 - p) g + p b) + bad b (r g + (1 - r) b)        two in a row lost
 * burst = loss / (loss - both)                                           1 / r where g = 0 and b = 1
 * ```
 */
export class GilbertElliott implements LossModel {
  readonly loss: number;
  readonly burst: number;
  readonly #chances: Required<GilbertElliottChances>;
  readonly #random: () => number;
  #bad: boolean;

  /** @param random in [0, 1) */
  constructor(chances: GilbertElliottChances, random: () => number) {
    const { toBad, toGood, lostInGood = 0, lostInBad = 1 } = chances;
    this.#chances = { toBad, toGood, lostInGood, lostInBad };
    this.#random = random;
    const bad = toBad / (toBad + toGood);
    const good = 1 - bad;
    this.loss = good * lostInGood + bad * lostInBad;
    const both = good * lostInGood * ((1 - toBad) * lostInGood + toBad * lostInBad) +
      bad * lostInBad * (toGood * lostInGood + (1 - toGood) * lostInBad);
    this.burst = this.loss === 0 ? 1 : this.loss / (this.loss - both);
    this.#bad = random() < bad;
  }

  next(): boolean {
    const { toBad, toGood, lostInGood, lostInBad } = this.#chances;
    const lost = this.#random() < (this.#bad ? lostInBad : lostInGood);
    if (this.#random() < (this.#bad ? toGood : toBad)) this.#bad = !this.#bad;
    return lost;
  }
}

/** Each is lost with the same chance, whatever became of the others. */
export function randomLoss(loss: number, random: () => number): LossModel {
  return new GilbertElliott({ toBad: loss, toGood: 1 - loss }, random);
}

/** Gilbert's model with this share of loss and this mean burst. @param loss below 1 @param burst at least 1 */
export function burstyLoss(loss: number, burst: number, random: () => number): LossModel {
  const toGood = 1 / burst;
  return new GilbertElliott({ toBad: toGood * loss / (1 - loss), toGood }, random);
}

import { chooseScheme } from "./choose_scheme.ts";
import { maxSpan, smallestGroup } from "./code.ts";
import { LossEstimate } from "./loss_estimate.ts";
import type { LossMeasure } from "./residual_loss.ts";
import { type FecScheme, noFec } from "./scheme.ts";

/** Segments after which protection may be lowered, and ends when none of them was lost; it is raised at once. */
export const calmSegments = 5_000;
/** Milliseconds that a round takes at most: what is repaired later than this many senders have sent again. */
export const roundTime = 80;

/** What a receiver says of a way, and what the sender knows beside it. */
export interface FecReport extends LossMeasure {
  /** Segments reported on. */
  readonly segments: number;
  /** Milliseconds in which they were sent; undefined: it is the first report. */
  readonly time: number | undefined;
  /** Round trips grew in step with the loss: the path is full, and parity would fill it further. */
  readonly inflated: boolean;
}

/** Follows the loss of one path. */
export class FecPolicy {
  readonly #estimate = new LossEstimate();
  #scheme: FecScheme = noFec;
  /** Segments a round may have at the pace of the last reports. */
  #span = maxSpan;
  #calm = 0;
  #clean = 0;

  get scheme(): FecScheme {
    return this.#scheme;
  }

  /** Takes a report. @returns the scheme from now on; the same object as long as it is the same scheme */
  report({ segments, time, inflated, ...measure }: FecReport): FecScheme {
    this.#estimate.add(measure, segments);
    if (time !== undefined && time > 0) this.#pace(segments / time * roundTime);
    this.#clean = measure.loss > 0 ? 0 : this.#clean + segments;
    if (this.#clean >= calmSegments) this.#estimate.clear();
    const wanted = inflated ? noFec : chooseScheme(this.#estimate.bound, this.#span);
    this.#calm = isWeaker(wanted, this.#scheme) ? this.#calm + segments : 0;
    const tooSlow =
      this.#scheme.group * this.#scheme.depth > 2 * Math.max(smallestGroup, this.#span);
    const clean = this.#clean >= calmSegments;
    if (this.#calm === 0 || this.#calm >= calmSegments || inflated || clean || tooSlow) {
      if (!isSame(wanted, this.#scheme)) this.#scheme = wanted;
      this.#calm = 0;
    }
    return this.#scheme;
  }

  /** A flow that has paused is slow in the mean, and as fast as before when it goes on: believed slowly. */
  #pace(span: number): void {
    const bounded = Math.min(span, maxSpan);
    this.#span = Math.max(bounded, this.#span + (bounded - this.#span) / 4);
  }
}

function isSame(a: FecScheme, b: FecScheme): boolean {
  return a.group === b.group && a.rows === b.rows && a.depth === b.depth;
}

function isWeaker(a: FecScheme, b: FecScheme): boolean {
  return strength(a) < strength(b);
}

function strength({ group, rows, depth }: FecScheme): number {
  return group === 0 ? 0 : rows / group * 100 + depth / 100;
}

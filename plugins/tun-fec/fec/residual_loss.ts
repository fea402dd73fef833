import { maxRows } from "./code.ts";
import type { FecScheme } from "./scheme.ts";

/** What a path does to segments, before repair. */
export interface LossMeasure {
  /** Share of segments lost. */
  readonly loss: number;
  /** Mean number of segments lost in a row; `1 / (1 - loss)` when losses are independent. */
  readonly burst: number;
}

/**
 * How much the fate of a segment says of the next one's, from 0 to 1. A path that becomes bad with chance `p` and good again with
 * `r = 1 / burst` loses `p / (p + r)`; of what it remembers, `1 - p - r` is left after one segment, and the `n`th power after `n`.
 */
export function correlation({ loss, burst }: LossMeasure): number {
  return Math.max(0, 1 - 1 / (burst * (1 - loss)));
}

/** Chances that so many are lost, the last one among them, or not. */
const lostLast = new Float64Array(maxRows + 1);
const keptLast = new Float64Array(maxRows + 1);

/**
 * Share of segments lost for good. Of the `n = group + rows` segments of a group, which are `depth` apart on the wire, `k > rows`
 * lost leave `k / n` of the data lost; those are the mean less what is repaired: `loss - sum over k <= rows of P(k) k / n`. `P` is
 * that of a chain whose memory is `correlation ^ depth`: binomial where there is none.
 */
export function residualLoss(measure: LossMeasure, { group, rows, depth }: FecScheme): number {
  const { loss } = measure;
  const n = group + rows;
  const memory = correlation(measure) ** depth;
  const again = loss + (1 - loss) * memory;
  const anew = loss * (1 - memory);
  lostLast.fill(0);
  keptLast.fill(0);
  keptLast[0] = 1 - loss;
  if (rows > 0) lostLast[1] = loss;
  for (let i = 1; i < n; i++) {
    for (let k = Math.min(rows, i + 1); k >= 0; k--) {
      const lost = k === 0 ? 0 : lostLast[k - 1]! * again + keptLast[k - 1]! * anew;
      keptLast[k] = lostLast[k]! * (1 - again) + keptLast[k]! * (1 - anew);
      lostLast[k] = lost;
    }
  }
  let repaired = 0;
  for (let k = 1; k <= rows; k++) repaired += (lostLast[k]! + keptLast[k]!) * k / n;
  return Math.max(0, loss - repaired);
}

import { maxGroup, maxRows, maxSpan, smallestGroup } from "./code.ts";
import { correlation, type LossMeasure, residualLoss } from "./residual_loss.ts";
import { type FecScheme, noFec } from "./scheme.ts";

/** Loss that may remain where a scheme within the cap can bring it down so far. */
export const residualTarget = 0.0002;

/** Larger groups need less parity for the same loss, smaller ones are full sooner. With one row it is plain XOR. */
const groups = [[maxGroup, maxRows], [20, 6], [10, 3], [7, 2], [smallestGroup, 1]] as const;
/** From the cheapest to the strongest. */
const candidates = groups
  .flatMap(([group, most]) =>
    Array.from({ length: most }, (_, i) => ({ group, rows: i + 1, strongest: i + 1 === most }))
  )
  .sort((a, b) => a.rows / a.group - b.rows / b.group || a.group - b.group);
const depths = [1, 2, 3, 4, 6, 8, 10, 12, 16] as const;
/** Below this correlation neighbours may be in one group. */
const independent = 0.15;

/**
 * The cheapest scheme that brings loss down to the target, not deeper than it has to be; the strongest where none does. Off at zero
 * loss: parity over a path that loses nothing only costs.
 *
 * @param span segments a round may have: it is repaired when it is over
 */
export function chooseScheme(measure: LossMeasure, span: number = maxSpan): FecScheme {
  if (!(measure.loss > 0)) return noFec;
  const bounded = { loss: Math.min(measure.loss, 0.9), burst: Math.max(1, measure.burst) };
  const spread = { loss: bounded.loss, burst: 1 / (1 - bounded.loss) };
  const deepest = correlation(bounded) < independent ? 1 : Infinity;
  let best = noFec;
  let least = Infinity;
  for (const { group, rows, strongest } of candidates) {
    // No depth makes it better than losses that have nothing to do with each other.
    if (!strongest && residualLoss(spread, { group, rows, depth: 1 }) > residualTarget) continue;
    for (const depth of depths) {
      const segments = group * depth;
      if (depth > deepest || segments > maxSpan) break;
      // The smallest is for any pace.
      if (segments > span && segments > smallestGroup) break;
      const scheme = { group, rows, depth };
      const left = residualLoss(bounded, scheme);
      if (left <= residualTarget) return scheme;
      if (left < least) [best, least] = [scheme, left];
    }
  }
  return best;
}

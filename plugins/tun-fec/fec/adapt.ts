import { type FecScheme, maxDepth, noFec } from "./encoder.ts";

/** Loss that may remain where a scheme within the cap can bring it down so far. */
export const residualTarget = 0.0005;
/** Parity may add so much traffic at most. */
export const overheadCap = 1 / 3;

/** From the cheapest to the strongest. The first two are plain XOR. */
const candidates: readonly Pick<FecScheme, "group" | "rows">[] = [
  { group: 20, rows: 1 },
  { group: 10, rows: 1 },
  { group: 20, rows: 2 },
  { group: 20, rows: 3 },
  { group: 20, rows: 4 },
  { group: 20, rows: 5 },
  { group: 20, rows: 6 },
];

/**
 * Share of segments lost for good when each is lost with probability `loss`, independently: of `n = group + rows` segments,
 * `k > rows` lost leave `k / n` of the data lost. `sum over k > rows of binomial(n, k) loss^k (1 - loss)^(n - k) k / n`.
 */
export function residualLoss(
  loss: number,
  { group, rows }: Pick<FecScheme, "group" | "rows">,
): number {
  const n = group + rows;
  let term = (1 - loss) ** n;
  let sum = 0;
  for (let k = 0; k <= n; k++) {
    if (k > rows) sum += term * k / n;
    term *= (n - k) / (k + 1) * loss / (1 - loss);
  }
  return sum;
}

/** What a path did to the segments sent over it lately. */
export interface LossMeasure {
  /** Share of segments lost, before repair. */
  readonly loss: number;
  /** Mean number of segments lost in a row; 1 when losses are independent. */
  readonly burst: number;
}

/**
 * The cheapest scheme that brings loss down to the target; the strongest within the cap where none does. Off at zero loss: parity
 * over a path that loses nothing only costs. Groups are interleaved so deep that a mean burst costs each of them one segment.
 */
export function chooseScheme({ loss, burst }: LossMeasure): FecScheme {
  if (!(loss > 0)) return noFec;
  const bounded = Math.min(loss, 0.9);
  const chosen = candidates.find((scheme) => residualLoss(bounded, scheme) <= residualTarget) ??
    candidates.at(-1)!;
  const depth = Math.min(maxDepth, Math.max(1, Math.ceil(2 * (burst - 1) / chosen.rows) + 1));
  return { ...chosen, depth: burst <= 1.2 ? 1 : depth };
}

/** Segments after which a loss measure may lower protection; it is raised at once. */
export const calmSegments = 5_000;

/**
 * Follows the loss of one path. Protection is raised with the first report that asks for it and lowered only when a while of
 * reports agreed, so that it does not follow noise.
 */
export class FecPolicy {
  #scheme: FecScheme = noFec;
  #calm = 0;

  get scheme(): FecScheme {
    return this.#scheme;
  }

  /**
   * Takes a receiver's report.
   * @param measure over the segments reported on
   * @param segments how many that were
   * @param inflated round trips grew in step with the loss: the path is full, and parity would fill it further
   */
  report(measure: LossMeasure, segments: number, inflated: boolean): FecScheme {
    const wanted = inflated ? noFec : chooseScheme(measure);
    if (strength(wanted) >= strength(this.#scheme)) {
      this.#scheme = wanted;
      this.#calm = 0;
      return wanted;
    }
    this.#calm += segments;
    if (inflated || this.#calm >= calmSegments) {
      this.#scheme = wanted;
      this.#calm = 0;
    }
    return this.#scheme;
  }
}

function strength({ group, rows, depth }: FecScheme): number {
  return group === 0 ? 0 : rows / group * 100 + depth / 100;
}

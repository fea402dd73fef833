import type { MetricHistogram } from "../plugin/types.ts";

/** Counts observations by size. Bounds are fixed when it is made, so that it never grows. */
export class Histogram {
  readonly #bounds: readonly number[];
  readonly #counts: number[];
  #sum = 0;

  /** @param bounds upper bounds, ascending; what lies above the last is counted too */
  constructor(bounds: readonly number[]) {
    this.#bounds = bounds;
    this.#counts = new Array<number>(bounds.length + 1).fill(0);
  }

  observe(value: number): void {
    if (!Number.isFinite(value)) return;
    let i = 0;
    while (i < this.#bounds.length && value > this.#bounds[i]!) i++;
    this.#counts[i]!++;
    this.#sum += value;
  }

  get count(): number {
    return this.#counts.reduce((sum, count) => sum + count, 0);
  }

  snapshot(): MetricHistogram {
    return { bounds: this.#bounds, counts: [...this.#counts], sum: this.#sum };
  }
}

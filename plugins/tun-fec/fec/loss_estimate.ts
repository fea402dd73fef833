import type { LossMeasure } from "./residual_loss.ts";

/** Segments that are remembered; more, up to a bound, where few runs of losses were among them: of ten the mean says little. */
const memory = 4_000;
const longMemory = 20_000;
const wantedRuns = 30;
/** Standard deviations, and a few segments, by which loss has to exceed what it was to be another one. */
const sigmas = 4;
const few = 3;

/**
 * What a path loses, of the reports on it: a mean over the last thousands of segments, because of a few hundred with one lost in a
 * hundred the share is known within a half of it only. Of loss that has clearly grown the past is forgotten.
 */
export class LossEstimate {
  #segments = 0;
  #lost = 0;
  #runs = 0;

  add({ loss, burst }: LossMeasure, segments: number): void {
    const lost = loss * segments;
    if (this.#segments > 0) {
      const expected = this.#lost / this.#segments * segments;
      // So many runs, of geometric length with mean b: the variance is the mean times 2 b - 1.
      const spread = Math.sqrt(expected * (2 * this.measure.burst - 1));
      if (lost > expected + sigmas * spread + few * burst) this.clear();
    }
    const runs = lost / burst;
    const kept = Math.min(
      share(longMemory - segments, this.#segments),
      Math.max(share(memory - segments, this.#segments), share(wantedRuns - runs, this.#runs)),
    );
    this.#segments = this.#segments * kept + segments;
    this.#lost = this.#lost * kept + lost;
    this.#runs = this.#runs * kept + runs;
  }

  get measure(): LossMeasure {
    return {
      loss: this.#segments === 0 ? 0 : this.#lost / this.#segments,
      burst: this.#runs === 0 ? 1 : Math.max(1, this.#lost / this.#runs),
    };
  }

  /**
   * One standard error above the mean, of both: what may well be. Of `n` runs with mean `b` the error of their mean is
   * `sqrt(b (b - 1) / n)`, and that of the share of losses as in `add()`.
   */
  get bound(): LossMeasure {
    const { loss, burst } = this.measure;
    if (loss === 0) return { loss, burst };
    return {
      loss: loss * (1 + Math.sqrt((2 * burst - 1) / this.#lost)),
      burst: burst + Math.sqrt(burst * (burst - 1) / this.#runs),
    };
  }

  clear(): void {
    this.#segments = this.#lost = this.#runs = 0;
  }
}

/** How much of what there is may stay, if so much may. */
function share(room: number, is: number): number {
  return is === 0 ? 1 : Math.max(0, Math.min(1, room / is));
}

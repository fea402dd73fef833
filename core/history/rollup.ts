import type { Resolution } from "./types.ts";

/** What is known of a peer at one moment. */
export interface PeerSample {
  readonly peer: string;
  /** Null while unmeasured. */
  readonly latencyMs: number | null;
  /** 0..1 */
  readonly loss: number;
  /** Counters of the link, from its beginning; 0 without a link. */
  readonly bytesIn: number;
  readonly bytesOut: number;
  /** The link's kind, `via <node>`, or `-`. */
  readonly path: string;
}

/** A bucket of one peer: any number of samples, in sums that can be added up again. */
export interface Bucket {
  readonly samples: number;
  /** Samples with a latency. */
  readonly measured: number;
  /** Mean of those; 0 when there are none. */
  readonly latencyMs: number;
  readonly worstLatencyMs: number;
  /** Mean over all samples. */
  readonly loss: number;
  readonly bytesIn: number;
  readonly bytesOut: number;
  /** Of the latest sample. */
  readonly path: string;
}

export interface Tier {
  readonly resolution: Resolution;
  readonly seconds: number;
  readonly keepSeconds: number;
}

/** Every sample goes into one bucket of each. */
export const tiers: readonly Tier[] = [
  { resolution: "10s", seconds: 10, keepSeconds: 2 * 3_600 },
  { resolution: "5m", seconds: 300, keepSeconds: 7 * 86_400 },
  { resolution: "1h", seconds: 3_600, keepSeconds: 90 * 86_400 },
];

/** Seconds since the epoch at which the bucket of `wallMs` begins. */
export function bucketStart(wallMs: number, seconds: number): number {
  return Math.floor(wallMs / 1000 / seconds) * seconds;
}

/** The finest resolution that is kept for as long as `sinceMs` is ago. */
export function resolutionFor(sinceMs: number, nowMs: number): Resolution {
  const ago = (nowMs - sinceMs) / 1000;
  return tiers.find(({ keepSeconds }) => ago <= keepSeconds)?.resolution ?? "1h";
}

/**
 * Both as one bucket, `later` being the newer one. Means are weighted by what they are means of, so the order and the grouping of
 * merges do not matter: `(a + b) + c = a + (b + c)`.
 */
export function mergeBuckets(earlier: Bucket, later: Bucket): Bucket {
  const samples = earlier.samples + later.samples;
  const measured = earlier.measured + later.measured;
  return {
    samples,
    measured,
    latencyMs: mean(earlier.latencyMs, earlier.measured, later.latencyMs, later.measured),
    worstLatencyMs: Math.max(earlier.worstLatencyMs, later.worstLatencyMs),
    loss: mean(earlier.loss, earlier.samples, later.loss, later.samples),
    bytesIn: earlier.bytesIn + later.bytesIn,
    bytesOut: earlier.bytesOut + later.bytesOut,
    path: later.path,
  };
}

function mean(a: number, weightA: number, b: number, weightB: number): number {
  const weight = weightA + weightB;
  return weight === 0 ? 0 : (a * weightA + b * weightB) / weight;
}

interface Counters {
  readonly bytesIn: number;
  readonly bytesOut: number;
  readonly path: string;
}

/** Turns counters into what was added since the sample before. Remembers the peers of the last sample and no others. */
export class CounterDeltas {
  #last = new Map<string, Counters>();

  /**
   * One bucket for each sample. A counter that is lower than before, or that of another kind of link, began anew: all of it is new.
   */
  next(samples: readonly PeerSample[]): ReadonlyMap<string, Bucket> {
    const seen = new Map<string, Counters>();
    const buckets = new Map<string, Bucket>();
    for (const sample of samples) {
      const before = this.#last.get(sample.peer);
      const same = before?.path === sample.path && sample.bytesIn >= before.bytesIn &&
        sample.bytesOut >= before.bytesOut;
      seen.set(sample.peer, sample);
      buckets.set(sample.peer, {
        samples: 1,
        measured: sample.latencyMs === null ? 0 : 1,
        latencyMs: sample.latencyMs ?? 0,
        worstLatencyMs: sample.latencyMs ?? 0,
        loss: sample.loss,
        bytesIn: same ? sample.bytesIn - before.bytesIn : sample.bytesIn,
        bytesOut: same ? sample.bytesOut - before.bytesOut : sample.bytesOut,
        path: sample.path,
      });
    }
    this.#last = seen;
    return buckets;
  }
}

import assert from "node:assert/strict";
import fc from "fast-check";
import {
  type Bucket,
  bucketStart,
  CounterDeltas,
  mergeBuckets,
  type PeerSample,
  resolutionFor,
} from "./rollup.ts";

const sample = (changes: Partial<PeerSample> = {}): PeerSample => ({
  peer: "a",
  latencyMs: 10,
  loss: 0,
  bytesIn: 0,
  bytesOut: 0,
  path: "quic",
  ...changes,
});

function only(buckets: ReadonlyMap<string, Bucket>): Bucket {
  const [bucket] = buckets.values();
  assert.ok(bucket !== undefined && buckets.size === 1);
  return bucket;
}

Deno.test("means are weighted by their samples, and a latency counts only where it was measured", () => {
  const deltas = new CounterDeltas();
  const buckets = [
    sample({ latencyMs: 10, loss: 0 }),
    sample({ latencyMs: 40, loss: 0.5 }),
    sample({ latencyMs: null, loss: 1, path: "-" }),
  ].map((entry) => only(deltas.next([entry])));
  const sum = buckets.reduce(mergeBuckets);
  assert.equal(sum.samples, 3);
  assert.equal(sum.measured, 2);
  assert.equal(sum.latencyMs, 25);
  assert.equal(sum.worstLatencyMs, 40);
  assert.equal(sum.loss, 0.5);
  assert.equal(sum.path, "-");
});

Deno.test("how samples are grouped before they are added up makes no difference", () => {
  const bucket = fc.record({
    samples: fc.integer({ min: 1, max: 100 }),
    latencyMs: fc.integer({ min: 0, max: 1_000 }),
    worstLatencyMs: fc.integer({ min: 0, max: 1_000 }),
    loss: fc.integer({ min: 0, max: 4 }).map((n) => n / 4),
    bytesIn: fc.nat(),
    bytesOut: fc.nat(),
    path: fc.constantFrom("quic", "websocket", "-"),
    share: fc.integer({ min: 0, max: 2 }),
  }).map(({ share, ...rest }) => ({ ...rest, measured: Math.floor(rest.samples * share / 2) }));
  const near = (a: number, b: number) => assert.ok(Math.abs(a - b) <= 1e-6 * (1 + Math.abs(a)));
  fc.assert(fc.property(bucket, bucket, bucket, (a, b, c) => {
    const left = mergeBuckets(mergeBuckets(a, b), c);
    const right = mergeBuckets(a, mergeBuckets(b, c));
    near(left.loss, right.loss);
    if (left.measured > 0) near(left.latencyMs, right.latencyMs);
    const exact = ({ latencyMs: _latency, loss: _loss, ...rest }: Bucket) => rest;
    assert.deepEqual(exact(left), exact(right));
  }));
});

Deno.test("bytes are what was added since the sample before", () => {
  const deltas = new CounterDeltas();
  const step = (changes: Partial<PeerSample>) => {
    const { bytesIn, bytesOut } = only(deltas.next([sample(changes)]));
    return [bytesIn, bytesOut];
  };
  assert.deepEqual(step({ bytesIn: 100, bytesOut: 10 }), [100, 10]);
  assert.deepEqual(step({ bytesIn: 150, bytesOut: 10 }), [50, 0]);
  // Another session: its counters begin at 0.
  assert.deepEqual(step({ bytesIn: 20, bytesOut: 5 }), [20, 5]);
  assert.deepEqual(step({ bytesIn: 30, bytesOut: 6, path: "websocket" }), [30, 6]);
});

Deno.test("a peer that was away for a sample is counted from its new link's beginning, never negatively", () => {
  const deltas = new CounterDeltas();
  deltas.next([sample({ bytesIn: 1_000 })]);
  deltas.next([]);
  assert.equal(only(deltas.next([sample({ bytesIn: 700 })])).bytesIn, 700);
});

Deno.test("buckets begin at whole multiples of their length", () => {
  const wall = Date.UTC(2026, 4, 3, 12, 34, 56, 789);
  const at = (seconds: number) => new Date(bucketStart(wall, seconds) * 1000).toISOString();
  assert.equal(at(10), "2026-05-03T12:34:50.000Z");
  assert.equal(at(300), "2026-05-03T12:30:00.000Z");
  assert.equal(at(3_600), "2026-05-03T12:00:00.000Z");
});

Deno.test("the resolution is the finest that reaches back far enough", () => {
  const hours = (n: number) => resolutionFor(0, n * 3_600_000);
  assert.deepEqual([hours(1), hours(2), hours(3), hours(168), hours(169), hours(9_999)], [
    "10s",
    "10s",
    "5m",
    "5m",
    "1h",
    "1h",
  ]);
});

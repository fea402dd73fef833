import assert from "node:assert/strict";
import fc from "fast-check";
import { quantiseLatency, quantiseLoss } from "./quantise.ts";
import { seededRandom } from "./testing.ts";

Deno.test("latency is reported within an eighth of the measurement", () => {
  fc.assert(fc.property(fc.double({ min: 1, max: 60_000, noNaN: true }), (ms) => {
    const reported = quantiseLatency(ms);
    assert.ok(Math.abs(reported / ms - 1) <= 0.13, `${ms} -> ${reported}`);
  }));
});

Deno.test("a measurement with ten percent noise makes no news after the first report", () => {
  const random = seededRandom(3);
  for (let ms = 0.6; ms < 2_000; ms *= 1.07) {
    let reported = quantiseLatency(ms);
    let changes = 0;
    for (let i = 0; i < 2_000; i++) {
      const next = quantiseLatency(ms * (0.9 + 0.2 * random()), reported);
      if (next !== reported) changes++;
      reported = next;
    }
    assert.ok(changes <= 1, `${ms} ms changed ${changes} times`);
  }
});

Deno.test("a real change is reported", () => {
  assert.ok(quantiseLatency(20, quantiseLatency(10)) > 17);
  assert.ok(quantiseLatency(10, quantiseLatency(20)) < 12);
});

Deno.test("odd latencies end at the ends of the scale", () => {
  assert.equal(quantiseLatency(0.01), 0.5);
  const slowest = quantiseLatency(60_000);
  assert.ok(slowest > 50_000 && slowest <= 60_000);
  for (const ms of [1e9, Infinity, NaN]) assert.equal(quantiseLatency(ms), slowest);
});

Deno.test("a link that has not been measured stays one, until it has", () => {
  assert.equal(quantiseLatency(0), 0);
  assert.equal(quantiseLatency(0, 10), 0);
  assert.equal(quantiseLatency(0.5, 0), 0.5);
});

Deno.test("loss is one of eight steps, and a step is kept until three quarters of the way to the next", () => {
  assert.equal(quantiseLoss(0.02), 0);
  assert.equal(quantiseLoss(0.06), 0.05);
  assert.equal(quantiseLoss(0.08), 0.1);
  assert.equal(quantiseLoss(0.08, 0.05), 0.05);
  assert.equal(quantiseLoss(0.07, 0.1), 0.1);
  assert.equal(quantiseLoss(0.09, 0.05), 0.1);
  assert.equal(quantiseLoss(0.4, 0), 0.35);
  assert.equal(quantiseLoss(0, 0.5), 0);
  assert.equal(quantiseLoss(7), 1);
  assert.equal(quantiseLoss(NaN), 1);
});

Deno.test("quantising what was reported changes nothing", () => {
  fc.assert(fc.property(fc.double({ min: 0, max: 70_000, noNaN: true }), (ms) => {
    const reported = quantiseLatency(ms);
    assert.equal(quantiseLatency(reported, reported), reported);
    const loss = quantiseLoss(ms / 70_000);
    assert.equal(quantiseLoss(loss), loss);
    assert.equal(quantiseLoss(loss, loss), loss);
  }));
});

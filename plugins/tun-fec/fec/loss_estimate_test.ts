import assert from "node:assert/strict";
import { seededRandom } from "../../../core/router/testing.ts";
import { burstyLoss, type LossModel, randomLoss } from "../../../tests/lab/loss_model.ts";
import { LossEstimate } from "./loss_estimate.ts";
import type { LossMeasure } from "./residual_loss.ts";

/** A receiver's report on what a model did to so many segments. */
function report(model: LossModel, segments: number): LossMeasure {
  let [lost, runs, before] = [0, 0, false];
  for (let i = 0; i < segments; i++) {
    const now = model.next();
    if (now) lost++;
    if (now && !before) runs++;
    before = now;
  }
  return { loss: lost / segments, burst: runs === 0 ? 1 : lost / runs };
}

Deno.test("a steady loss is known far better than one report tells it", () => {
  for (const make of [randomLoss, (p: number, r: () => number) => burstyLoss(p, 4, r)]) {
    const estimate = new LossEstimate();
    const model = make(0.05, seededRandom(1));
    let [worst, worstReport] = [0, 0];
    for (let i = 0; i < 200; i++) {
      const one = report(model, 500);
      estimate.add(one, 500);
      if (i < 8) continue;
      worst = Math.max(worst, Math.abs(estimate.measure.loss - 0.05));
      worstReport = Math.max(worstReport, Math.abs(one.loss - 0.05));
    }
    assert.ok(worst < 0.6 * worstReport, `${worst} of ${worstReport}`);
    const { burst } = estimate.measure;
    assert.ok(Math.abs(burst - model.burst) < model.burst / 3, `${burst}`);
  }
});

Deno.test("loss that has grown is known with the first report of it", () => {
  const estimate = new LossEstimate();
  for (let i = 0; i < 20; i++) estimate.add({ loss: 0.01, burst: 1 }, 500);
  estimate.add({ loss: 0.06, burst: 1 }, 500);
  assert.equal(estimate.measure.loss, 0.06);
});

Deno.test("loss that has shrunk is forgotten over some thousand segments", () => {
  const estimate = new LossEstimate();
  for (let i = 0; i < 20; i++) estimate.add({ loss: 0.1, burst: 3 }, 500);
  for (let i = 0; i < 8; i++) estimate.add({ loss: 0.01, burst: 1 }, 500);
  assert.ok(estimate.measure.loss > 0.02, `${estimate.measure.loss}`);
  for (let i = 0; i < 40; i++) estimate.add({ loss: 0.01, burst: 1 }, 500);
  assert.ok(estimate.measure.loss < 0.012, `${estimate.measure.loss}`);
});

Deno.test("the bound is above what there is in most cases, and closes in on it", () => {
  for (const make of [randomLoss, (p: number, r: () => number) => burstyLoss(p, 4, r)]) {
    let above = 0;
    for (let seed = 0; seed < 60; seed++) {
      const estimate = new LossEstimate();
      const model = make(0.02, seededRandom(seed));
      for (let i = 0; i < 8; i++) estimate.add(report(model, 500), 500);
      const { bound, measure } = estimate;
      assert.ok(bound.loss > measure.loss && bound.burst >= measure.burst);
      if (bound.loss > model.loss) above++;
      if (bound.burst > model.burst) above++;
    }
    // One standard error: five of six.
    assert.ok(above > 120 * 0.7, `${above} of 120`);
  }
  const estimate = new LossEstimate();
  for (let i = 0; i < 100; i++) estimate.add({ loss: 0.1, burst: 1.2 }, 4_000);
  assert.ok(estimate.bound.loss < 0.11, `${estimate.bound.loss}`);
});

Deno.test("before any report, and after reports without loss, there is none", () => {
  const estimate = new LossEstimate();
  assert.deepEqual(estimate.measure, { loss: 0, burst: 1 });
  estimate.add({ loss: 0, burst: 1 }, 10_000);
  assert.deepEqual(estimate.measure, { loss: 0, burst: 1 });
});

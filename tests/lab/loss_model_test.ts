import assert from "node:assert/strict";
import { seededRandom } from "../../core/router/testing.ts";
import { burstyLoss, GilbertElliott, type LossModel, randomLoss } from "./loss_model.ts";

/** What a model does to so many datagrams. */
function observe(model: LossModel, count: number) {
  let lost = 0;
  let runs = 0;
  let before = false;
  for (let i = 0; i < count; i++) {
    const now = model.next();
    if (now) lost++;
    if (now && !before) runs++;
    before = now;
  }
  return { loss: lost / count, burst: lost / runs };
}

const near = (value: number, expected: number, share: number) =>
  assert.ok(Math.abs(value - expected) <= expected * share, `${value} instead of ${expected}`);

Deno.test("Gilbert's model loses p / (p + r), in runs of 1 / r", () => {
  const model = new GilbertElliott({ toBad: 0.02, toGood: 0.25 }, seededRandom(1));
  near(model.loss, 0.02 / 0.27, 1e-12);
  near(model.burst, 4, 1e-12);
  const seen = observe(model, 400_000);
  near(seen.loss, model.loss, 0.05);
  near(seen.burst, model.burst, 0.05);
});

Deno.test("with loss in good spells and some luck in bad ones the formulas hold, too", () => {
  const chances = { toBad: 0.01, toGood: 0.1, lostInGood: 0.005, lostInBad: 0.6 };
  const model = new GilbertElliott(chances, seededRandom(2));
  near(model.loss, 10 / 11 * 0.005 + 1 / 11 * 0.6, 1e-12);
  const seen = observe(model, 400_000);
  near(seen.loss, model.loss, 0.05);
  near(seen.burst, model.burst, 0.05);
});

Deno.test("random loss is bursty loss with bursts of 1 / (1 - loss)", () => {
  for (const loss of [0.01, 0.1]) {
    const random = randomLoss(loss, seededRandom(3));
    near(random.loss, loss, 1e-12);
    near(random.burst, 1 / (1 - loss), 1e-9);
    near(observe(random, 400_000).loss, loss, 0.05);
    near(observe(random, 400_000).burst, 1 / (1 - loss), 0.03);
  }
  assert.equal(observe(randomLoss(0, seededRandom(4)), 10_000).loss, 0);
});

Deno.test("loss and burst that are asked for are what comes", () => {
  for (const [loss, burst] of [[0.01, 4], [0.05, 3], [0.1, 6]] as const) {
    const model = burstyLoss(loss, burst, seededRandom(5));
    near(model.loss, loss, 1e-9);
    near(model.burst, burst, 1e-9);
    const seen = observe(model, 600_000);
    near(seen.loss, loss, 0.06);
    near(seen.burst, burst, 0.06);
  }
});

Deno.test("the same seed loses the same datagrams", () => {
  const draw = () => {
    const model = burstyLoss(0.1, 3, seededRandom(6));
    return Array.from({ length: 500 }, () => model.next());
  };
  assert.deepEqual(draw(), draw());
});

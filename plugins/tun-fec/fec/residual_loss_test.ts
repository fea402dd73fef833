import assert from "node:assert/strict";
import { seededRandom } from "../../../core/router/testing.ts";
import { burstyLoss } from "../../../tests/lab/loss_model.ts";
import { correlation, residualLoss } from "./residual_loss.ts";

const independent = (loss: number) => ({ loss, burst: 1 / (1 - loss) });
const near = (value: number, expected: number, most: number) =>
  assert.ok(Math.abs(value - expected) <= most, `${value} instead of ${expected}`);

Deno.test("of independent losses what is lost for good is what the binomial says", () => {
  assert.equal(correlation(independent(0.1)), 0);
  // 1+1: both lost, of which one is data: p^2. 2+1: p^3 + 3 p^2 q * 2/3.
  near(residualLoss(independent(0.1), { group: 1, rows: 1, depth: 1 }), 0.01, 1e-12);
  const two = 0.001 + 3 * 0.01 * 0.9 * 2 / 3;
  for (const depth of [1, 5]) {
    near(residualLoss(independent(0.1), { group: 2, rows: 1, depth }), two, 1e-12);
  }
});

Deno.test("without parity everything stays lost, with more rows less", () => {
  for (const measure of [independent(0.05), { loss: 0.05, burst: 4 }]) {
    near(residualLoss(measure, { group: 20, rows: 0, depth: 1 }), 0.05, 1e-12);
    let before = 1;
    for (let rows = 1; rows <= 10; rows++) {
      const left = residualLoss(measure, { group: 20, rows, depth: 4 });
      assert.ok(left < before, `${rows} rows: ${left}`);
      before = left;
    }
  }
});

Deno.test("two in a row are what their chance says", () => {
  // 1+1 next to each other: both lost, in half of which ... all of the data: P(lost) * P(lost again) = p (p + q c).
  const measure = { loss: 0.1, burst: 4 };
  const c = correlation(measure);
  near(c, 1 - 1 / 3.6, 1e-12);
  const both = (depth: number) => 0.1 * (0.1 + 0.9 * c ** depth);
  for (const depth of [1, 3]) {
    near(residualLoss(measure, { group: 1, rows: 1, depth }), both(depth), 1e-12);
  }
});

Deno.test("bursts leave what a simulation of rounds on a wire leaves", () => {
  for (
    const [loss, burst, group, rows, depth] of [[0.05, 4, 20, 4, 4], [0.1, 3, 32, 8, 8]] as const
  ) {
    const model = burstyLoss(loss, burst, seededRandom(3));
    let [left, sent] = [0, 0];
    for (let round = 0; round < 2_000; round++) {
      const data = new Uint8Array(depth);
      const parity = new Uint8Array(depth);
      for (let i = 0; i < group * depth; i++) if (model.next()) data[i % depth]!++;
      for (let i = 0; i < rows * depth; i++) if (!model.next()) parity[i % depth]!++;
      for (let i = 0; i < depth; i++) if (data[i]! > parity[i]!) left += data[i]!;
      sent += group * depth;
    }
    const expected = residualLoss({ loss, burst }, { group, rows, depth });
    near(left / sent, expected, expected / 5 + 0.0003);
  }
});

import assert from "node:assert/strict";
import { chooseScheme, residualTarget } from "./choose_scheme.ts";
import { maxSpan } from "./code.ts";
import { residualLoss } from "./residual_loss.ts";
import { noFec, overheadCap } from "./scheme.ts";

const independent = (loss: number) => ({ loss, burst: 1 / (1 - loss) });

Deno.test("a path that loses nothing is not burdened", () => {
  assert.deepEqual(chooseScheme({ loss: 0, burst: 1 }), noFec);
});

for (const burst of [1, 2, 4, 6]) {
  Deno.test(`loss of 1, 5 and 10 % in runs of ${burst} is brought below 0.1, 0.2 and 0.5 %, within the cap`, () => {
    for (
      const [loss, bound] of [[0.001, 0.001], [0.01, 0.001], [0.05, 0.002], [0.1, 0.005]] as const
    ) {
      const measure = { loss, burst: Math.max(burst, 1 / (1 - loss)) };
      const scheme = chooseScheme(measure);
      const left = residualLoss(measure, scheme);
      assert.ok(left <= bound, `${loss}: ${JSON.stringify(scheme)} leaves ${left}`);
      assert.ok(scheme.rows / scheme.group < overheadCap);
      assert.ok(scheme.group * scheme.depth <= maxSpan);
      if (burst === 1) assert.equal(scheme.depth, 1);
    }
  });
}

Deno.test("more loss never gets less protection, and nothing goes beyond the cap", () => {
  let before = 0;
  for (let loss = 0.0005; loss < 1; loss += 0.0025) {
    const { rows, group } = chooseScheme(independent(loss));
    assert.ok(rows / group < overheadCap, `at ${loss}`);
    // Beyond that nothing helps much.
    if (loss < 0.2) assert.ok(rows / group >= before, `at ${loss}`);
    before = rows / group;
  }
});

Deno.test("the cheapest scheme that suffices is used", () => {
  assert.deepEqual(chooseScheme(independent(0.0002)), { group: 32, rows: 1, depth: 1 });
  const scheme = chooseScheme(independent(0.02));
  assert.ok(residualLoss(independent(0.02), scheme) <= residualTarget);
  const fewer = { ...scheme, rows: scheme.rows - 1 };
  assert.ok(residualLoss(independent(0.02), fewer) > residualTarget);
});

Deno.test("longer bursts are spread over more groups", () => {
  const depth = (burst: number) => chooseScheme({ loss: 0.05, burst }).depth;
  assert.equal(depth(1), 1);
  assert.ok(depth(2) > 1 && depth(6) > depth(2), `${depth(2)}, ${depth(6)}`);
});

Deno.test("a slow flow gets rounds that are over in time", () => {
  for (const span of [1, 7, 25, 60, 200]) {
    for (const measure of [independent(0.03), { loss: 0.03, burst: 5 }]) {
      const { group, depth, rows } = chooseScheme(measure, span);
      assert.ok(group * depth <= Math.max(5, span), `${group} * ${depth} of ${span}`);
      assert.ok(rows > 0);
    }
  }
});

import assert from "node:assert/strict";
import {
  calmSegments,
  chooseScheme,
  FecPolicy,
  overheadCap,
  residualLoss,
  residualTarget,
} from "./adapt.ts";
import { maxDepth, noFec } from "./encoder.ts";

Deno.test("what is lost for good is what the binomial says", () => {
  // 1+1: both lost, of which one is data: p^2. 2+1: p^3 + 3 p^2 q * 2/3.
  assert.ok(Math.abs(residualLoss(0.1, { group: 1, rows: 1 }) - 0.01) < 1e-12);
  assert.ok(
    Math.abs(residualLoss(0.1, { group: 2, rows: 1 }) - (0.001 + 3 * 0.01 * 0.9 * 2 / 3)) < 1e-12,
  );
});

Deno.test("a path that loses nothing is not burdened", () => {
  assert.deepEqual(chooseScheme({ loss: 0, burst: 1 }), noFec);
});

Deno.test("loss of 1, 5 and 10 % is brought below 0.1, 0.2 and 0.5 %, within the cap", () => {
  for (
    const [loss, bound] of [[0.001, 0.001], [0.01, 0.001], [0.05, 0.002], [0.1, 0.005]] as const
  ) {
    const scheme = chooseScheme({ loss, burst: 1 });
    assert.ok(residualLoss(loss, scheme) <= bound, `${loss}: ${JSON.stringify(scheme)}`);
    assert.ok(scheme.rows / scheme.group <= overheadCap);
    assert.equal(scheme.depth, 1);
  }
});

Deno.test("more loss never gets less protection, and nothing goes beyond the cap", () => {
  let before = 0;
  for (let loss = 0.0005; loss < 1; loss += 0.0005) {
    const { rows, group } = chooseScheme({ loss, burst: 1 });
    assert.ok(rows / group >= before && rows / group <= overheadCap);
    before = rows / group;
  }
});

Deno.test("cheaper schemes are used where they suffice", () => {
  const scheme = chooseScheme({ loss: 0.0002, burst: 1 });
  assert.deepEqual([scheme.group, scheme.rows], [20, 1]);
  assert.ok(residualLoss(0.0002, scheme) <= residualTarget);
});

Deno.test("longer bursts are spread over more groups, up to the bound", () => {
  const depth = (burst: number) => chooseScheme({ loss: 0.02, burst }).depth;
  assert.equal(depth(1), 1);
  assert.ok(depth(3) > 1 && depth(6) > depth(3));
  assert.equal(depth(1000), maxDepth);
});

Deno.test("protection is raised at once and lowered after a while", () => {
  const policy = new FecPolicy();
  const strong = policy.report({ loss: 0.05, burst: 1 }, 100, false);
  assert.ok(strong.rows > 1);
  const clean = { loss: 0, burst: 1 };
  for (let sent = 0; sent + 100 < calmSegments; sent += 100) {
    assert.equal(policy.report(clean, 100, false), strong);
  }
  assert.deepEqual(policy.report(clean, 100, false), noFec);
});

Deno.test("loss that comes with growing round trips gets no parity: the path is full", () => {
  const policy = new FecPolicy();
  policy.report({ loss: 0.05, burst: 1 }, 100, false);
  assert.deepEqual(policy.report({ loss: 0.1, burst: 1 }, 100, true), noFec);
});

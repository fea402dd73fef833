import assert from "node:assert/strict";
import { calmSegments, FecPolicy, type FecReport } from "./fec_policy.ts";
import { noFec } from "./scheme.ts";

const report = (more: Partial<FecReport>): FecReport => ({
  loss: 0,
  burst: 1,
  segments: 500,
  time: 50,
  inflated: false,
  ...more,
});

Deno.test("protection is raised at once, and ends after a while without loss", () => {
  const policy = new FecPolicy();
  const strong = policy.report(report({ loss: 0.05 }));
  assert.ok(strong.rows > 1);
  for (let sent = 500; sent < calmSegments; sent += 500) {
    assert.notDeepEqual(policy.report(report({})), noFec);
  }
  assert.deepEqual(policy.report(report({})), noFec);
});

Deno.test("protection is lowered to what a while of less loss needs", () => {
  const policy = new FecPolicy();
  const strong = policy.report(report({ loss: 0.08 }));
  for (let sent = 0; sent + 500 < calmSegments; sent += 500) {
    assert.equal(policy.report(report({ loss: 0.01 })), strong);
  }
  let scheme = strong;
  for (let sent = 0; sent < 5 * calmSegments; sent += 500) {
    scheme = policy.report(report({ loss: 0.01 }));
  }
  assert.ok(scheme.rows > 0 && scheme.rows / scheme.group < strong.rows / strong.group / 2);
});

Deno.test("reports of a steady loss that differ by luck do not move the scheme to and fro", () => {
  const policy = new FecPolicy();
  // The object, so that nothing is begun anew for it.
  const schemes = new Set<unknown>();
  for (let i = 0; i < 200; i++) {
    const lucky = [0.006, 0.014, 0.01, 0.008, 0.012][i % 5]!;
    const scheme = policy.report(report({ loss: lucky }));
    if (i >= 8) schemes.add(scheme);
  }
  assert.equal(schemes.size, 1, JSON.stringify([...schemes]));
});

Deno.test("loss that comes with growing round trips gets no parity: the path is full", () => {
  const policy = new FecPolicy();
  policy.report(report({ loss: 0.05 }));
  assert.deepEqual(policy.report(report({ loss: 0.1, inflated: true })), noFec);
  assert.ok(policy.report(report({ loss: 0.1 })).rows > 0, "and gets it again when it is not");
});

Deno.test("a flow that has become slow gets shorter rounds soon, one that is fast again longer ones", () => {
  const policy = new FecPolicy();
  const bursty = { loss: 0.05, burst: 4 };
  const segments = () => policy.scheme.group * policy.scheme.depth;
  policy.report(report(bursty));
  assert.ok(segments() > 150, `${segments()}`);
  for (let i = 0; i < 12; i++) policy.report(report({ ...bursty, segments: 50, time: 100 }));
  assert.ok(segments() <= 80, `${segments()}`);
  for (let i = 0; i < calmSegments / 500; i++) policy.report(report(bursty));
  assert.ok(segments() > 150, `${segments()}`);
});

import assert from "node:assert/strict";
import { RateGate } from "./rate_gate.ts";

Deno.test("a burst passes, then so many a second, and the rest is counted", () => {
  const gate = new RateGate(3, 10, 0);
  const passed = (count: number, now: number) =>
    Array.from({ length: count }, () => gate.pass(now)).filter(Boolean).length;
  assert.equal(passed(5, 0), 3);
  assert.equal(passed(5, 50), 0);
  assert.equal(passed(5, 200), 2);
  assert.equal(gate.takeHeld(), 10);
  assert.equal(gate.takeHeld(), 0);
  assert.equal(passed(10, 100_000), 3);
});

import assert from "node:assert/strict";
import fc from "fast-check";
import { ReplayWindow, replayWindow } from "./replay_window.ts";

Deno.test("each counter is taken once, in whatever order", () => {
  const window = new ReplayWindow();
  assert.deepEqual([5, 3, 3, 0, 5, 4, 0].map((n) => window.take(n)), [
    true,
    true,
    false,
    true,
    false,
    true,
    false,
  ]);
  assert.equal(window.highest, 5);
});

Deno.test("what is older than the window is refused, seen or not", () => {
  const window = new ReplayWindow();
  assert.ok(window.take(100_000));
  assert.equal(window.take(100_000 - replayWindow), false);
  assert.equal(window.take(100_000 - replayWindow + 32), false);
  assert.ok(window.take(100_000 - replayWindow + 33));
  assert.ok(window.take(100_000 - replayWindow / 2));
});

Deno.test("a jump beyond the window forgets, and what comes late is refused all the same", () => {
  const window = new ReplayWindow();
  for (let n = 0; n < 200; n++) assert.ok(window.take(n));
  const far = 2 ** 40;
  assert.ok(window.take(far));
  for (let n = 0; n < 200; n++) assert.equal(window.take(n), false);
  assert.ok(window.take(far - 1));
  assert.equal(window.take(far), false);
});

Deno.test("it agrees with a set of everything seen, on any order", () => {
  const step = fc.oneof(
    { weight: 8, arbitrary: fc.integer({ min: -300, max: 300 }) },
    { weight: 1, arbitrary: fc.integer({ min: -20_000, max: 20_000 }) },
  );
  fc.assert(fc.property(fc.array(step, { maxLength: 400 }), (steps) => {
    const window = new ReplayWindow();
    const seen = new Set<number>();
    let at = 0;
    let highest = -1;
    for (const by of steps) {
      at = Math.max(0, at + by);
      const tooOld = highest - at >= replayWindow - 32;
      assert.equal(window.refuses(at), tooOld || seen.has(at));
      assert.equal(window.take(at), !tooOld && !seen.has(at), `${at} after ${highest}`);
      if (!tooOld) seen.add(at);
      highest = Math.max(highest, at);
    }
  }));
});

import assert from "node:assert/strict";
import { WakeTimer } from "./wake_timer.ts";

Deno.test("an engine is ticked when it asked to be, and again as long as it asks", async () => {
  const done = Promise.withResolvers<void>();
  let due = performance.now() + 5;
  let ticks = 0;
  using timer = new WakeTimer({
    now: () => performance.now(),
    nextWake: () => due,
    tick: (now) => {
      assert.ok(now >= due - 1);
      due = ++ticks < 3 ? now + 2 : Infinity;
      if (ticks === 3) done.resolve();
    },
  });
  timer.update();
  await done.promise;
});

Deno.test("an earlier wake replaces the later one, and disposal leaves no timer behind", () => {
  let due = performance.now() + 60_000;
  const timer = new WakeTimer({
    now: () => performance.now(),
    nextWake: () => due,
    tick: () => assert.fail("must not run"),
  });
  timer.update();
  due -= 30_000;
  timer.update();
  timer[Symbol.dispose]();
  timer.update();
});

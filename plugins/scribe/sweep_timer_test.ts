import assert from "node:assert/strict";
import { eventually } from "../../tests/lab/wait.ts";
import { sweepDelayMs, SweepTimer } from "./sweep_timer.ts";

Deno.test("ephemeral nodes are looked at four times in the shortest of their times, not more than once a second and not less than the most", () => {
  assert.equal(sweepDelayMs([], 60_000), 60_000);
  assert.equal(sweepDelayMs([3_600_000], 60_000), 60_000);
  assert.equal(sweepDelayMs([3_600_000, 40_000], 60_000), 10_000);
  assert.equal(sweepDelayMs([1_000], 60_000), 1_000);
  assert.equal(sweepDelayMs([1_000], 50), 50);
});

Deno.test("a shorter delay takes the place of a longer one, and the next sweep comes after each", async () => {
  let [delay, sweeps] = [3_600_000, 0];
  await using timer = new SweepTimer({
    delay: () => delay,
    now: () => performance.now(),
    sweep: () => {
      sweeps++;
      return Promise.resolve();
    },
  });
  timer.update();
  delay = 1;
  timer.update();
  await eventually(() => sweeps >= 3, { what: "three sweeps", intervalMs: 5 });
});

Deno.test("a sweep that is under way ends before the timer has stopped, and none follows", async () => {
  let sweeps = 0;
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = new SweepTimer({
    delay: () => 1,
    now: () => performance.now(),
    sweep: () => {
      sweeps++;
      return promise;
    },
  });
  timer.update();
  await eventually(() => sweeps === 1, { what: "a sweep", intervalMs: 5 });
  const stopped = timer[Symbol.asyncDispose]();
  resolve();
  await stopped;
  timer.update();
  assert.equal(sweeps, 1);
});

import assert from "node:assert/strict";
import { Liveness } from "./liveness.ts";

Deno.test("silence is reported once, an answer never", async () => {
  const answers = [true, true, false];
  let asked = 0;
  await new Promise<void>((resolve) => {
    const liveness = new Liveness({
      ping: () => {
        asked++;
        return Promise.resolve(answers.shift() ?? true);
      },
      intervalMs: 1,
      timeoutMs: 60_000,
      onDead: resolve,
    });
    liveness.watch();
  });
  assert.equal(asked, 3);
});

Deno.test("one question is open at a time, before the first watch and after the end none is asked", async () => {
  let asked = 0;
  const answer = Promise.withResolvers<boolean>();
  const liveness = new Liveness({
    ping: () => {
      asked++;
      return answer.promise;
    },
    intervalMs: 60_000,
    timeoutMs: 60_000,
    onDead: () => assert.fail("it was told to stop"),
  });
  liveness.check();
  assert.equal(asked, 0, "it is loading");
  liveness.watch();
  liveness.check();
  liveness.check();
  liveness[Symbol.dispose]();
  answer.resolve(false);
  await answer.promise;
  assert.equal(asked, 1);
});

Deno.test("a wait that took much too long proves nothing and is repeated", async () => {
  let asked = 0;
  await new Promise<void>((resolve) => {
    const liveness = new Liveness({
      // Stands for a process that was stopped: the wait is over long after its time.
      ping: () =>
        ++asked > 1 ? Promise.resolve(false) : new Promise((answer) => {
          const end = performance.now() + 25;
          while (performance.now() < end);
          answer(false);
        }),
      intervalMs: 60_000,
      timeoutMs: 10,
      onDead: resolve,
    });
    liveness.watch();
    liveness.check();
  });
  assert.ok(asked >= 2);
});

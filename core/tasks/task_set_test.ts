import assert from "node:assert/strict";
import { TaskSet } from "./task_set.ts";

Deno.test("idle waits for every task, also for those that a task starts", async () => {
  const order: string[] = [];
  const tasks = new TaskSet(() => assert.fail("nothing failed"));
  tasks.add((async () => {
    await Promise.resolve();
    order.push("first");
    tasks.add(Promise.resolve().then(() => void order.push("second")));
  })());
  await tasks.idle();
  assert.deepEqual(order, ["first", "second"]);
  assert.equal(tasks.size, 0);
});

Deno.test("a task that fails is reported once and does not stop the others", async () => {
  const errors: unknown[] = [];
  const tasks = new TaskSet((error) => errors.push(error));
  const failure = new Error("no");
  tasks.add(Promise.reject(failure));
  tasks.add(Promise.resolve());
  await tasks.idle();
  assert.deepEqual(errors, [failure]);
});

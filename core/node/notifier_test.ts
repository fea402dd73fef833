import assert from "node:assert/strict";
import { Notifier } from "./notifier.ts";

Deno.test("everybody who waits is woken once, whoever comes later waits for the next time", async () => {
  const notifier = new Notifier();
  const { signal } = new AbortController();
  let woken = 0;
  const waiting = [1, 2].map(() => notifier.wait(signal).then(() => woken++));
  notifier.notify();
  await Promise.all(waiting);
  assert.equal(woken, 2);
  const later = notifier.wait(signal).then(() => woken++);
  await Promise.resolve();
  assert.equal(woken, 2);
  notifier.notify();
  await later;
});

Deno.test("a signal ends the wait, also one that had fired before", async () => {
  const notifier = new Notifier();
  const controller = new AbortController();
  const waiting = notifier.wait(controller.signal);
  controller.abort();
  await waiting;
  await notifier.wait(controller.signal);
});

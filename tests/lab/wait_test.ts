import assert from "node:assert/strict";
import { eventually } from "./wait.ts";

Deno.test("the first truthy answer ends the wait and is returned", async () => {
  let attempts = 0;
  const answer = await eventually(() => ++attempts === 3 && "here", { what: "x", intervalMs: 1 });
  assert.equal(answer, "here");
  assert.equal(attempts, 3);
});

Deno.test("a check that throws is asked again", async () => {
  let attempts = 0;
  const check = () => {
    if (++attempts < 3) throw new Error("not yet");
    return true;
  };
  assert.equal(await eventually(check, { what: "x", intervalMs: 1 }), true);
});

Deno.test("a failure says what was waited for, how long, and what came last", async () => {
  const options = { what: "b sees a", timeoutMs: 20, intervalMs: 1 };
  await assert.rejects(eventually(() => false, options), {
    message: "b sees a: not within 20 ms; last attempt: false",
  });
  const refuse = () => Promise.reject(new Error("connection refused"));
  await assert.rejects(eventually(refuse, options), /last attempt: connection refused$/);
});

Deno.test("a check that hangs ends with the deadline and is told so", async () => {
  let told = false;
  const hang = (signal: AbortSignal) =>
    new Promise<boolean>(() => signal.addEventListener("abort", () => told = true));
  await assert.rejects(eventually(hang, { what: "x", timeoutMs: 20 }), /not within 20 ms/);
  assert.equal(told, true);
});

Deno.test("a signal ends the wait with its reason", async () => {
  const stop = new AbortController();
  const waiting = eventually(() => false, { what: "x", signal: stop.signal });
  stop.abort(new Error("enough"));
  await assert.rejects(waiting, { message: "enough" });
});

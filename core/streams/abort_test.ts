import assert from "node:assert/strict";
import { Deadline, underSignal } from "./abort.ts";
import { StreamError } from "./errors.ts";
import { memoryStreamPair } from "./memory_stream.ts";

Deno.test("a conversation that outlives its deadline is reset and called a time-out", async () => {
  const [near, far] = memoryStreamPair();
  using deadline = new Deadline(5);
  await assert.rejects(
    underSignal(near, deadline.signal, "The test", () => near.read()),
    (error) => error instanceof StreamError && error.status === "STREAM_TIMEOUT",
  );
  await far.closed;
});

Deno.test("a conversation that fails by itself keeps its own error, and its stream is reset", async () => {
  const [near, far] = memoryStreamPair();
  using deadline = new Deadline(60_000);
  const failure = new Error("mine");
  await assert.rejects(
    underSignal(near, deadline.signal, "The test", () => Promise.reject(failure)),
    (error) => error === failure,
  );
  await far.closed;
});

Deno.test("an outer signal ends the deadline early, and a deadline that is over leaves no timer", async () => {
  const outer = new AbortController();
  using deadline = new Deadline(60_000, outer.signal);
  const aborted = new Promise((resolve) => deadline.signal.addEventListener("abort", resolve));
  outer.abort();
  await aborted;
});

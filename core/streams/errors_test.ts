import assert from "node:assert/strict";
import { StreamError, streamStatus, streamStatusCode } from "./errors.ts";

Deno.test("every status has its own number, and an unknown number reads as a failure", () => {
  const numbers = Object.values(streamStatus);
  assert.equal(new Set(numbers).size, numbers.length);
  for (const [code, number] of Object.entries(streamStatus)) {
    assert.equal(streamStatusCode(number), code);
  }
  assert.equal(streamStatusCode(250), "STREAM_FAILED");
});

Deno.test("a stream error carries its status as its code", () => {
  const error = new StreamError("STREAM_DENIED", "no", { hop: "x" });
  assert.deepEqual([error.code, error.status, error.fields.hop], [
    "STREAM_DENIED",
    "STREAM_DENIED",
    "x",
  ]);
});

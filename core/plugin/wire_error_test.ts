import assert from "node:assert/strict";
import fc from "fast-check";
import { PulseError } from "../errors/mod.ts";
import { StreamResetError } from "../sessions/errors.ts";
import { fromWireError, parseWireError, toWireError } from "./wire_error.ts";

/** There and back, through a real structured clone. */
const cross = (error: unknown) =>
  fromWireError(parseWireError(structuredClone(toWireError(error))));

Deno.test("a PulseError keeps code, message, fields and causes", () => {
  const error = new PulseError(
    "A_CODE",
    "text",
    { n: 1, list: ["x"], none: null },
    new Error("why"),
  );
  const back = cross(error);
  assert.ok(back instanceof PulseError);
  assert.equal(back.code, "A_CODE");
  assert.equal(back.message, "text");
  assert.deepEqual(back.fields, { n: 1, list: ["x"], none: null });
  assert.equal((back.cause as PulseError).message, "why");
});

Deno.test("a stream reset is a stream reset on the other side, with its number", () => {
  const back = cross(new StreamResetError("gone", 77));
  assert.ok(back instanceof StreamResetError);
  assert.equal(back.resetCode, 77);
});

Deno.test("an error of another copy of the class is recognised by its shape", () => {
  const foreign = Object.assign(new Error("theirs"), { code: "THEIR_CODE", fields: { a: 1 } });
  assert.equal(toWireError(foreign).code, "THEIR_CODE");
});

Deno.test("whatever is thrown becomes PLUGIN_FAILED with readable text", () => {
  assert.deepEqual(toWireError("text"), {
    code: "PLUGIN_FAILED",
    message: "text",
    fields: { thrown: "string" },
  });
  assert.equal(toWireError(undefined).message, "undefined");
  // The system's own errors have a code, but not one of ours.
  const denied = Object.assign(new Error("no"), { code: "EACCES" });
  assert.equal(toWireError(denied).code, "PLUGIN_FAILED");
});

Deno.test("causes in a circle and endless texts are cut", () => {
  const a = new Error("x".repeat(10_000));
  const b = new Error("b", { cause: a });
  a.cause = b;
  const wire = toWireError(a);
  assert.ok(JSON.stringify(wire).length < 20_000);
  assert.doesNotThrow(() => fromWireError(wire));
});

Deno.test("an error object made by a stranger is read without harm", () => {
  fc.assert(fc.property(fc.anything(), (value) => {
    const { code, message } = fromWireError(parseWireError(value));
    assert.match(code, /^[A-Z][A-Z0-9_]{0,63}$/);
    assert.equal(typeof message, "string");
  }));
});

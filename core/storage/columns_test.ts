import assert from "node:assert/strict";
import { bytesOf, numberOf, optionalNumber, optionalText, textOf } from "./columns.ts";

const row = { text: "a", number: 7, bytes: Uint8Array.of(1), nothing: null };

Deno.test("columns are read as what they are", () => {
  assert.equal(textOf(row, "text"), "a");
  assert.equal(numberOf(row, "number"), 7);
  assert.deepEqual(bytesOf(row, "bytes"), Uint8Array.of(1));
  assert.deepEqual([optionalText(row, "text"), optionalNumber(row, "number")], ["a", 7]);
  assert.deepEqual([optionalText(row, "nothing"), optionalNumber(row, "nothing")], [null, null]);
});

Deno.test("a column of another kind, or none, is a damaged file and never a default", () => {
  const malformed = { code: "DATABASE_MALFORMED", message: /wrong value in "/ };
  assert.throws(() => textOf(row, "nothing"), malformed);
  assert.throws(() => textOf(row, "number"), malformed);
  assert.throws(() => numberOf(row, "missing"), malformed);
  assert.throws(() => numberOf(undefined, "number"), malformed);
  assert.throws(() => bytesOf(row, "text"), malformed);
  assert.throws(() => optionalNumber(row, "text"), malformed);
});

import assert from "node:assert/strict";
import { ifMatchOf, isNotModified } from "./headers.ts";

Deno.test("If-Match is one strong tag, given without its quotes", () => {
  assert.equal(ifMatchOf(new Headers()), undefined);
  assert.equal(ifMatchOf(new Headers({ "if-match": ' "3.17" ' })), "3.17");
  for (const text of ["*", "17", 'W/"17"', '"1", "2"', '""', '"a b"', `"${"1".repeat(129)}"`]) {
    assert.throws(() => ifMatchOf(new Headers({ "if-match": text })), { code: "HEADER_INVALID" });
  }
});

Deno.test("If-None-Match may be a list, weak or a star", () => {
  const has = (text: string) => isNotModified(new Headers({ "if-none-match": text }), "17");
  assert.equal(isNotModified(new Headers(), "17"), false);
  for (const text of ["*", '"17"', 'W/"17"', '"1",W/"17"']) assert.equal(has(text), true, text);
  for (const text of ["17", '"1"', '"171"', ""]) assert.equal(has(text), false, text);
});

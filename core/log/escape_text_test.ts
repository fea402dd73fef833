import assert from "node:assert/strict";
import fc from "fast-check";
import { escapeText } from "./escape_text.ts";

Deno.test("plain text of any language stays as it is", () => {
  for (const text of ["", "relay-01", "päivää", "日本語", "🙂 ok", "a\\b"]) {
    assert.equal(escapeText(text), text);
  }
});

Deno.test("what moves the cursor, forges a line or reorders text is shown instead of obeyed", () => {
  assert.equal(escapeText("a\x1b[2J\rb\nc\td"), "a\\x1b[2J\\rb\\nc\\td");
  assert.equal(escapeText("\u009b31m\u202eevil\u2066"), "\\x9b31m\\u202eevil\\u2066");
  assert.equal(escapeText("x\u2028y\u200bz\ufeff"), "x\\u2028y\\u200bz\\ufeff");
  assert.equal(escapeText("\ud800"), "\\ud800");
});

Deno.test("no control character survives, whatever the text", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary", maxLength: 200 }), (text) => {
      // deno-lint-ignore no-control-regex
      assert.doesNotMatch(escapeText(text), /[\u0000-\u001f\u007f-\u009f\u2028-\u202e]/);
      assert.equal(escapeText(text).isWellFormed(), true);
    }),
  );
});

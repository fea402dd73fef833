import assert from "node:assert/strict";
import { parseKeyValues } from "./key_values.ts";

Deno.test("a value may be empty and may hold more equals signs", () => {
  assert.deepEqual(parseKeyValues(["a=b=c", "x="]), { a: "b=c", x: "" });
});

Deno.test("words without a key, and keys given twice, are refused", () => {
  for (const words of [["a"], ["=b"], [""], ["a=1", "a=1"]]) {
    assert.throws(() => parseKeyValues(words), { code: "USAGE" });
  }
});

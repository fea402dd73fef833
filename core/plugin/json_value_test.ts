import assert from "node:assert/strict";
import fc from "fast-check";
import { isJson } from "./json_value.ts";

Deno.test("everything JSON can say is plain data", () => {
  fc.assert(fc.property(fc.jsonValue({ maxDepth: 5 }), (value) => {
    assert.ok(isJson(value));
  }));
  assert.ok(isJson({ left: undefined }));
  assert.ok(isJson(Object.create(null)));
});

Deno.test("what a structured clone may hold besides is not", () => {
  const circle: Record<string, unknown> = {};
  circle.self = circle;
  const deep = JSON.parse("[".repeat(100) + "]".repeat(100));
  for (
    const value of [
      undefined,
      NaN,
      Infinity,
      1n,
      Symbol("x"),
      () => {},
      new Map(),
      new Date(),
      new Uint8Array(2),
      [undefined],
      { a: new Set() },
      circle,
      deep,
      new Array(1_000_001).fill(0),
    ]
  ) {
    assert.equal(isJson(value), false);
  }
});

import assert from "node:assert/strict";
import { RateTable } from "./rate_table.ts";

Deno.test("each key has its own burst and rate", () => {
  const table = new RateTable({ burst: 2, perSecond: 10, size: 8 });
  assert.deepEqual(["a", "a", "a", "b"].map((key) => table.take(key, 0)), [0, 0, 100, 0]);
  assert.equal(table.take("a", 100), 0);
  assert.equal(table.take("a", 100), 100);
});

Deno.test("a flood of keys is bounded, and does not push out a key that is in use", () => {
  const table = new RateTable({ burst: 1, perSecond: 0.001, size: 8 });
  assert.equal(table.take("busy", 0), 0);
  for (let i = 0; i < 1_000; i++) {
    table.take(`${i}`, 0);
    assert.ok(table.take("busy", 0) > 0);
  }
  assert.equal(table.size, 8);
});

import assert from "node:assert/strict";
import { IndexTable, maxIndexes } from "./index_table.ts";

Deno.test("every entry gets an index of its own, also when chance repeats itself", () => {
  const drawn = [0.5, 0.5, 0.5, 0.25, 0];
  const table = new IndexTable<string>(() => drawn.shift()!);
  const indexes = ["a", "b", "c"].map((entry) => table.add(entry));
  assert.equal(new Set(indexes).size, 3);
  assert.deepEqual(indexes.map((index) => table.get(index)), ["a", "b", "c"]);
  assert.ok(indexes.every((index) => index >= 1 && index < 2 ** 30));
  table.remove(indexes[1]!);
  assert.equal(table.get(indexes[1]!), undefined);
  assert.equal(table.size, 2);
});

Deno.test("a full table refuses", () => {
  let n = 0;
  const table = new IndexTable<number>(() => n++ / 2 ** 30);
  for (let i = 0; i < maxIndexes; i++) table.add(i);
  assert.throws(() => table.add(0), { code: "INDEX_TABLE_FULL" });
});

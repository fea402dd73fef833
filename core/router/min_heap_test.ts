import assert from "node:assert/strict";
import fc from "fast-check";
import { MinHeap } from "./min_heap.ts";

Deno.test("items leave the heap in the order of their keys", () => {
  fc.assert(fc.property(fc.array(fc.double({ noNaN: true })), (keys) => {
    const heap = new MinHeap();
    keys.forEach((key, item) => heap.push(key, item));
    const popped: number[] = [];
    for (let item = heap.pop(); item !== undefined; item = heap.pop()) popped.push(keys[item]!);
    assert.deepEqual(
      popped.map((key) => key + 0),
      keys.toSorted((a, b) => a - b).map((k) => k + 0),
    );
    assert.equal(heap.size, 0);
  }));
});

Deno.test("an empty heap gives undefined", () => {
  assert.equal(new MinHeap().pop(), undefined);
});

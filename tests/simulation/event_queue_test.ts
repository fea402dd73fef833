import assert from "node:assert/strict";
import fc from "fast-check";
import { EventQueue } from "./event_queue.ts";

Deno.test("events come out by time, and in the order they came in at one time", () => {
  fc.assert(fc.property(fc.array(fc.nat(20)), (times) => {
    const queue = new EventQueue<{ at: number; order: number; id: number }>();
    times.forEach((at, id) => queue.push({ at, order: 0, id }));
    assert.equal(queue.size, times.length);
    const expected = times.map((at, id) => ({ at, id })).sort((a, b) => a.at - b.at || a.id - b.id);
    for (const { at, id } of expected) {
      assert.equal(queue.nextAt, at);
      assert.equal(queue.pop()?.id, id);
    }
    assert.equal(queue.pop(), undefined);
    assert.equal(queue.nextAt, Infinity);
  }));
});

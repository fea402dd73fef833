import assert from "node:assert/strict";
import fc from "fast-check";
import { ReceiveQueue } from "./receive_queue.ts";
import { concat } from "./testing.ts";

Deno.test("what is pushed in any sizes comes out in order, and the size is right all along", () => {
  const step = fc.oneof(
    fc.record({ push: fc.nat(5000) }),
    fc.constant({ push: -1 }),
  );
  fc.assert(fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
    const queue = new ReceiveQueue();
    const sent: Uint8Array[] = [];
    const got: Uint8Array[] = [];
    let counter = 0;
    const take = () => {
      const piece = queue.shift();
      if (piece !== undefined) {
        assert.ok(piece.length > 0);
        got.push(piece.slice());
      }
      return piece !== undefined;
    };
    for (const { push } of steps) {
      if (push < 0) take();
      else {
        const piece = Uint8Array.from({ length: push }, () => counter++);
        sent.push(piece);
        queue.push(piece, false);
      }
      const bytes = (list: Uint8Array[]) => list.reduce((sum, p) => sum + p.length, 0);
      assert.equal(queue.size, bytes(sent) - bytes(got));
    }
    while (take());
    assert.deepEqual(concat(...got), concat(...sent));
  }));
});

Deno.test("large pieces are views, but not when they would keep a much larger buffer alive", () => {
  const queue = new ReceiveQueue();
  const message = new Uint8Array(1024 * 1024);
  queue.push(message.subarray(0, 512 * 1024), false);
  assert.equal(queue.shift()?.buffer, message.buffer);
  queue.push(message.subarray(0, 4096), false);
  assert.equal(queue.shift()?.buffer.byteLength, 4096);
});

Deno.test("100,000 pieces of one byte out of large buffers are gathered into few", () => {
  const queue = new ReceiveQueue();
  const message = new Uint8Array(64 * 1024);
  for (let i = 0; i < 100_000; i++) {
    queue.push(message.subarray(i % 60_000, i % 60_000 + 1), false);
  }
  let pieces = 0;
  let held = 0;
  for (let piece = queue.shift(); piece !== undefined; piece = queue.shift()) {
    pieces++;
    held += piece.buffer.byteLength;
  }
  assert.ok(pieces < 30, `${pieces} pieces`);
  assert.ok(held < 200_000, `${held} bytes held`);
});

Deno.test("a piece for a waiting reader is handed over as it is", () => {
  const queue = new ReceiveQueue();
  const message = new Uint8Array(64 * 1024);
  queue.push(message.subarray(0, 3), true);
  assert.equal(queue.shift()?.buffer, message.buffer);
  assert.equal(queue.size, 0);
});

Deno.test("clear forgets everything and says how much that was", () => {
  const queue = new ReceiveQueue();
  queue.push(new Uint8Array(3000), false);
  queue.push(new Uint8Array(3), false);
  assert.equal(queue.clear(), 3003);
  assert.equal(queue.size, 0);
  assert.equal(queue.shift(), undefined);
});

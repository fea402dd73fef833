import assert from "node:assert/strict";
import { ChunkQueue } from "./chunk_queue.ts";

Deno.test("a full queue makes the writer wait until the reader has taken", async () => {
  const queue = new ChunkQueue<string>();
  await queue.put("a", 10, 10);
  let put = false;
  const waiting = queue.put("b", 10, 10).then(() => put = true);
  await Promise.resolve();
  assert.equal(put, false);
  assert.equal(await queue.take(), "a");
  await waiting;
  assert.equal(await queue.take(), "b");
});

Deno.test("an ended queue gives what it holds and then undefined", async () => {
  const queue = new ChunkQueue<string>();
  await queue.put("a", 1, 10);
  queue.end();
  assert.equal(await queue.take(), "a");
  assert.equal(await queue.take(), undefined);
});

Deno.test("a failure ends the wait of both sides", async () => {
  const queue = new ChunkQueue<string>();
  const taking = queue.take();
  queue.fail(new Error("gone"));
  await assert.rejects(taking, { message: "gone" });
  await assert.rejects(queue.put("a", 1, 0), { message: "gone" });
});

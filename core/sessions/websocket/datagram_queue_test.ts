import assert from "node:assert/strict";
import { DatagramQueue } from "./datagram_queue.ts";

Deno.test("the oldest datagram makes room for the newest, and is counted", async () => {
  const queue = new DatagramQueue(2);
  for (const value of [1, 2, 3]) queue.push(Uint8Array.of(value));
  assert.equal(queue.dropped, 1);
  assert.deepEqual(await queue.receive(), Uint8Array.of(2));
  assert.deepEqual(await queue.receive(), Uint8Array.of(3));
});

Deno.test("what waits is a copy, what a receiver waits for is not", async () => {
  const queue = new DatagramQueue(2);
  const bytes = Uint8Array.of(1);
  queue.push(bytes);
  bytes[0] = 9;
  assert.deepEqual(await queue.receive(), Uint8Array.of(1));
  const next = queue.receive();
  queue.push(bytes);
  assert.equal(await next, bytes);
});

Deno.test("closing gives null to the receiver that waits and to those who come later", async () => {
  const queue = new DatagramQueue(2);
  queue.push(Uint8Array.of(1));
  await queue.receive();
  const waiting = queue.receive();
  await assert.rejects(queue.receive(), { code: "SESSION_BUSY" });
  queue.close();
  assert.equal(await waiting, null);
  queue.push(Uint8Array.of(2));
  assert.equal(await queue.receive(), null);
});

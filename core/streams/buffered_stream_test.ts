import assert from "node:assert/strict";
import { ProtocolError } from "../sessions/errors.ts";
import { BufferedStream } from "./buffered_stream.ts";
import { memoryStreamPair } from "./memory_stream.ts";

Deno.test("bytes that came with a header in one chunk reach the next reader", async () => {
  const [a, b] = memoryStreamPair();
  const stream = new BufferedStream(b);
  const writing = a.write(Uint8Array.of(1, 2, 3, 4, 5));
  assert.deepEqual([...await stream.readExact(2)], [1, 2]);
  assert.deepEqual([...await stream.readExact(1)], [3]);
  assert.deepEqual([...(await stream.read())!], [4, 5]);
  const end = stream.read();
  await writing;
  await a.closeWrite();
  assert.equal(await end, null);
});

Deno.test("a header may arrive one byte at a time", async () => {
  const [a, b] = memoryStreamPair();
  const stream = new BufferedStream(b);
  const reading = stream.readExact(3);
  for (const byte of [7, 8]) await a.write(Uint8Array.of(byte));
  const last = a.write(Uint8Array.of(9));
  assert.deepEqual([...await reading], [7, 8, 9]);
  b.reset();
  await last.catch(() => {/* the reset above is what ends it */});
});

Deno.test("a stream that ends within a header is a protocol error that tells how far it came", async () => {
  const [a, b] = memoryStreamPair();
  const stream = new BufferedStream(b);
  const reading = stream.readExact(4);
  const writing = a.write(Uint8Array.of(1));
  await Promise.resolve();
  const failed = assert.rejects(
    reading,
    (error) => error instanceof ProtocolError && /1 of 4/.test(error.message),
  );
  await writing;
  await a.closeWrite();
  await failed;
});

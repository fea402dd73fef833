import assert from "node:assert/strict";
import { StreamResetError } from "../sessions/errors.ts";
import { memoryStreamPair } from "./memory_stream.ts";

Deno.test("a chunk written at one end is read at the other, and the end of writing is seen after it", async () => {
  const [a, b] = memoryStreamPair();
  const reading = (async () => {
    const got: number[] = [];
    for (let chunk = await b.read(); chunk !== null; chunk = await b.read()) got.push(...chunk);
    return got;
  })();
  await a.write(Uint8Array.of(1, 2));
  await a.write(Uint8Array.of(3));
  await a.closeWrite();
  assert.deepEqual(await reading, [1, 2, 3]);
  await b.closeWrite();
  await Promise.all([a.closed, b.closed]);
});

Deno.test("a reset rejects pending reads and writes on both ends", async () => {
  const [a, b] = memoryStreamPair();
  const write = assert.rejects(a.write(new Uint8Array(300_000)), StreamResetError);
  const read = assert.rejects(a.read(), StreamResetError);
  b.reset(7);
  await Promise.all([write, read, a.closed, b.closed]);
  await assert.rejects(b.write(Uint8Array.of(1)), StreamResetError);
});

Deno.test("writing after closing is an error", async () => {
  const [a] = memoryStreamPair();
  await a.closeWrite();
  await assert.rejects(a.write(Uint8Array.of(1)), StreamResetError);
});

import assert from "node:assert/strict";
import { memoryStreamPair } from "./testing.ts";
import { StreamDuplex } from "./stream_duplex.ts";

/** Turns of the event loop: enough for everything that is ready to happen. */
async function turns(): Promise<void> {
  for (let i = 0; i < 20; i++) await new Promise((resolve) => setImmediate(resolve));
}

Deno.test("a chunk that waited is handed out before the next read overwrites it", async () => {
  const [inner, peer] = memoryStreamPair();
  const duplex = new StreamDuplex(inner);
  const got: number[] = [];
  // Makes Node read ahead while nobody listens: the first chunk is buffered then.
  duplex.read(0);
  await peer.write(Uint8Array.of(1, 2, 3));
  await turns();
  assert.equal(duplex.readableLength, 3);
  const writing = (async () => {
    await peer.write(Uint8Array.of(4, 5));
    await peer.write(Uint8Array.of(6));
    await peer.closeWrite();
  })();
  duplex.on("data", (chunk: Uint8Array) => got.push(...chunk));
  await new Promise((resolve) => duplex.once("end", resolve));
  await writing;
  assert.deepEqual(got, [1, 2, 3, 4, 5, 6]);
  duplex.destroy();
});

Deno.test("a held duplex takes no more than the read that was under way, until released", async () => {
  const [inner, peer] = memoryStreamPair();
  const duplex = new StreamDuplex(inner);
  const got: number[] = [];
  duplex.on("data", (chunk: Uint8Array) => got.push(...chunk));
  await peer.write(Uint8Array.of(1));
  duplex.hold();
  const writing = (async () => {
    for (const byte of [2, 3, 4]) await peer.write(Uint8Array.of(byte));
  })();
  await turns();
  assert.ok(got.length <= 2, `${got.length} chunks were taken while held`);
  duplex.release();
  await writing;
  await turns();
  assert.deepEqual(got, [1, 2, 3, 4]);
  duplex.destroy();
  inner.reset();
});

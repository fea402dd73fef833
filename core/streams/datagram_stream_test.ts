import assert from "node:assert/strict";
import fc from "fast-check";
import { ProtocolError } from "../sessions/errors.ts";
import { DatagramStream } from "./datagram_stream.ts";
import { memoryStreamPair } from "./memory_stream.ts";

Deno.test("datagrams keep their borders and their order however the stream is cut, empty ones too", async () => {
  await fc.assert(fc.asyncProperty(
    fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 8 }),
    fc.integer({ min: 1, max: 400 }),
    async (datagrams, size) => {
      const [near, far] = memoryStreamPair();
      const [there, wire] = memoryStreamPair();
      await new DatagramStream(near).send(...datagrams);
      await near.closeWrite();
      const sent: number[] = [];
      for (let chunk = await far.read(); chunk !== null; chunk = await far.read()) {
        sent.push(...chunk);
      }
      for (let at = 0; at < sent.length; at += size) {
        await wire.write(Uint8Array.from(sent.slice(at, at + size)));
      }
      await wire.closeWrite();
      const reader = new DatagramStream(there);
      for (const datagram of datagrams) assert.deepEqual(await reader.receive(), datagram);
      assert.equal(await reader.receive(), null);
    },
  ));
});

Deno.test("an end inside a datagram is a broken protocol, and one too long is not sent", async () => {
  const [near, far] = memoryStreamPair();
  await near.write(Uint8Array.of(0, 3, 1));
  await near.closeWrite();
  await assert.rejects(new DatagramStream(far).receive(), ProtocolError);
  await assert.rejects(new DatagramStream(far).send(new Uint8Array(65_536)), ProtocolError);
});

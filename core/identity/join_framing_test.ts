import assert from "node:assert/strict";
import fc from "fast-check";
import { JoinError } from "./join_errors.ts";
import { frameJoin, type JoinByteStream } from "./join_framing.ts";
import { maxJoinMessageBytes, maxJoinMessages } from "./join_messages.ts";

/** A stream that gives these bytes in pieces, always in the same buffer, as the interface allows. */
function pieces(bytes: Uint8Array, size: number): JoinByteStream {
  const buffer = new Uint8Array(size);
  let offset = 0;
  return {
    read: () => {
      if (offset === bytes.length) return Promise.resolve(null);
      const piece = bytes.subarray(offset, offset + size);
      offset += piece.length;
      buffer.fill(0xee).set(piece);
      return Promise.resolve(buffer.subarray(0, piece.length));
    },
    write: () => Promise.resolve(),
  };
}

/** What `frameJoin` writes for these messages. */
async function framed(messages: readonly Uint8Array[]): Promise<Uint8Array> {
  const written: number[] = [];
  const channel = frameJoin({
    read: () => Promise.resolve(null),
    write: (chunk) => {
      written.push(...chunk);
      return Promise.resolve();
    },
  }, "");
  for (const message of messages) await channel.send(message);
  return Uint8Array.from(written);
}

Deno.test("messages arrive whole however the stream cuts them", async () => {
  const message = fc.uint8Array({ minLength: 1, maxLength: 60 });
  await fc.assert(fc.asyncProperty(
    fc.array(message, { maxLength: maxJoinMessages }),
    fc.integer({ min: 1, max: 100 }),
    async (messages, size) => {
      const channel = frameJoin(pieces(await framed(messages), size), "here");
      const received: Uint8Array[] = [];
      for (let i = 0; i < messages.length; i++) received.push((await channel.receive())!);
      assert.deepEqual(received, messages);
      assert.equal(await channel.receive(), null);
    },
  ));
});

Deno.test("a length over the limit is refused before anything is read or kept", async () => {
  for (const length of [0, maxJoinMessageBytes + 1, 0xffffffff]) {
    const head = new Uint8Array(4);
    new DataView(head.buffer).setUint32(0, length);
    const channel = frameJoin(pieces(head, 4), "");
    await assert.rejects(channel.receive(), { code: "JOIN_PROTOCOL" });
  }
  const channel = frameJoin(pieces(new Uint8Array(0), 1), "");
  await assert.rejects(channel.send(new Uint8Array(0)), JoinError);
  await assert.rejects(channel.send(new Uint8Array(maxJoinMessageBytes + 1)), JoinError);
});

Deno.test("an end inside a message is told apart from an end between messages", async () => {
  const bytes = await framed([new Uint8Array(10)]);
  for (let length = 1; length < bytes.length; length++) {
    const channel = frameJoin(pieces(bytes.subarray(0, length), 3), "");
    await assert.rejects(channel.receive(), { code: "JOIN_CLOSED" });
  }
});

Deno.test("more messages than a join has are refused in both directions", async () => {
  const eight = Array.from({ length: maxJoinMessages }, () => Uint8Array.of(1));
  const bytes = await framed(eight);
  await assert.rejects(framed([...eight, Uint8Array.of(1)]), { code: "JOIN_PROTOCOL" });
  const channel = frameJoin(pieces(Uint8Array.of(...bytes, 0, 0, 0, 1, 1), 50), "");
  for (let i = 0; i < maxJoinMessages; i++) await channel.receive();
  await assert.rejects(channel.receive(), { code: "JOIN_PROTOCOL" });
});

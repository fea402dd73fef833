import assert from "node:assert/strict";
import { join } from "node:path";
import { StreamResetError } from "../sessions/errors.ts";
import { type ConnStream, connToStream } from "./conn_stream.ts";

async function pairOver(
  listener: Deno.Listener,
  connect: () => Promise<Deno.Conn>,
): Promise<readonly [ConnStream, ConnStream]> {
  const [near, far] = await Promise.all([connect(), listener.accept()]);
  return [connToStream(near), connToStream(far)];
}

async function tcpPair() {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr as Deno.NetAddr;
  return await pairOver(listener, () => Deno.connect({ hostname: "127.0.0.1", port }));
}

const bytes = (text: string) => new TextEncoder().encode(text);
const text = (chunk: Uint8Array | null) => chunk === null ? null : new TextDecoder().decode(chunk);

Deno.test("half-close works over TCP and over a unix socket, and the connection is closed after both halves", async () => {
  const dir = await Deno.makeTempDir();
  try {
    const path = join(dir, "s");
    using unix = Deno.listen({ transport: "unix", path });
    const overUnix = await pairOver(unix, () => Deno.connect({ transport: "unix", path }));
    for (const [a, b] of [overUnix, await tcpPair()]) {
      await a.write(bytes("question"));
      await a.closeWrite();
      await a.closeWrite();
      assert.equal(text(await b.read()), "question");
      assert.equal(await b.read(), null);
      assert.equal(await b.read(), null);
      await b.write(bytes("answer"));
      await b.closeWrite();
      assert.equal(text(await a.read()), "answer");
      assert.equal(await a.read(), null);
      await Promise.all([a.closed, b.closed]);
      a.reset();
    }
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
});

Deno.test("a reset rejects what waits here, and everything asked afterwards", async () => {
  const [a, b] = await tcpPair();
  const reading = a.read();
  a.reset();
  await assert.rejects(reading, StreamResetError);
  await assert.rejects(a.read(), StreamResetError);
  await assert.rejects(a.write(bytes("x")), StreamResetError);
  await a.closed;
  await b[Symbol.asyncDispose]();
  await b.closed;
});

Deno.test("writing to a connection the other end has abandoned is a StreamResetError", async () => {
  const [a, b] = await tcpPair();
  b.reset();
  await assert.rejects(async () => {
    for (;;) await a.write(new Uint8Array(65_536));
  }, StreamResetError);
  await a.closed;
});

Deno.test("writing after closeWrite is an error", async () => {
  const [near, far] = await tcpPair();
  await using a = near;
  await using _b = far;
  await a.closeWrite();
  await assert.rejects(a.write(bytes("x")), StreamResetError);
});

Deno.test("a large write arrives whole and in order through chunks that are never empty", async () => {
  const [a, b] = await tcpPair();
  const sent = new Uint8Array(3_000_000).map((_, i) => i % 251);
  const writing = a.write(sent).then(() => a.closeWrite());
  let offset = 0;
  let largest = 0;
  for (;;) {
    const chunk = await b.read();
    if (chunk === null) break;
    assert.equal(chunk.length > 0, true);
    assert.deepEqual(chunk, sent.subarray(offset, offset + chunk.length));
    offset += chunk.length;
    largest = Math.max(largest, chunk.length);
  }
  await writing;
  assert.equal(offset, sent.length);
  assert.equal(largest > 16 * 1024, true);
  await b.closeWrite();
  assert.equal(await a.read(), null);
});

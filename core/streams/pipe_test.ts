import assert from "node:assert/strict";
import { connToStream } from "./conn_stream.ts";
import { StreamResetError } from "../sessions/errors.ts";
import type { ByteStream } from "../sessions/types.ts";
import { memoryStreamPair } from "./memory_stream.ts";
import { pipe } from "./pipe.ts";

async function readAll(stream: ByteStream): Promise<string> {
  const parts: Uint8Array[] = [];
  for (;;) {
    const chunk = await stream.read();
    if (chunk === null) break;
    parts.push(chunk.slice());
  }
  return new TextDecoder().decode(await new Blob(parts as Uint8Array<ArrayBuffer>[]).arrayBuffer());
}

const bytes = (text: string) => new TextEncoder().encode(text);

Deno.test("each direction ends by itself and what comes after the other's end still arrives", async () => {
  const [client, a] = memoryStreamPair();
  const [b, server] = memoryStreamPair();
  const piping = pipe(a, b);
  await client.write(bytes("question"));
  await client.closeWrite();
  assert.equal(await readAll(server), "question");
  await server.write(bytes("a late answer"));
  await server.closeWrite();
  assert.equal(await readAll(client), "a late answer");
  assert.deepEqual(await piping, { aToB: 8, bToA: 13 });
});

Deno.test("an abrupt end of either side ends the other abruptly, and the pipe says so", async () => {
  for (const victim of ["client", "server"] as const) {
    const [client, a] = memoryStreamPair();
    const [b, server] = memoryStreamPair();
    const piping = pipe(a, b);
    const [broken, other] = victim === "client" ? [client, server] : [server, client];
    const reading = other.read();
    broken.reset();
    await assert.rejects(reading, StreamResetError);
    await assert.rejects(piping, StreamResetError);
    await Promise.all([a.closed, b.closed]);
  }
});

Deno.test("a reset reaches a side that had already ended its own direction", async () => {
  const [client, a] = memoryStreamPair();
  const [b, server] = memoryStreamPair();
  const piping = pipe(a, b);
  await client.closeWrite();
  assert.equal(await server.read(), null);
  server.reset();
  await assert.rejects(client.read(), StreamResetError);
  await assert.rejects(piping, StreamResetError);
});

Deno.test("a hundred megabytes cross real sockets unharmed both ways at once", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const port = (listener.addr as Deno.NetAddr).port;
  const connect = async () => {
    const [near, far] = await Promise.all([
      Deno.connect({ hostname: "127.0.0.1", port }),
      listener.accept(),
    ]);
    return [connToStream(near), connToStream(far)] as const;
  };
  const [client, a] = await connect();
  const [b, server] = await connect();
  const piping = pipe(a, b);
  const size = 50 * 1024 * 1024;
  const send = async (stream: ByteStream, value: number) => {
    const chunk = new Uint8Array(100_000).fill(value);
    for (let sent = 0; sent < size; sent += chunk.length) {
      await stream.write(chunk.subarray(0, Math.min(chunk.length, size - sent)));
    }
    await stream.closeWrite();
  };
  const receive = async (stream: ByteStream, value: number) => {
    let total = 0;
    for (;;) {
      const chunk = await stream.read();
      if (chunk === null) return total;
      assert.equal(chunk.every((byte) => byte === value), true);
      total += chunk.length;
    }
  };
  const [, , atServer, atClient] = await Promise.all([
    send(client, 1),
    send(server, 2),
    receive(server, 1),
    receive(client, 2),
  ]);
  assert.deepEqual([atServer, atClient], [size, size]);
  assert.deepEqual(await piping, { aToB: size, bToA: size });
  await Promise.all([client.closed, server.closed, a.closed, b.closed]);
});

Deno.test("a side that resets after its own direction has ended ends an idle other side", async () => {
  const [left, a] = memoryStreamPair();
  const [b, right] = memoryStreamPair();
  const piping = pipe(a, b);
  await right.closeWrite();
  assert.equal(await left.read(), null);
  right.reset(5);
  await assert.rejects(piping, StreamResetError);
  await left.closed;
});

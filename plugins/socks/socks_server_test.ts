import assert from "node:assert/strict";
import { PulseError } from "../../core/errors/mod.ts";
import { StreamResetError } from "../../core/sessions/errors.ts";
import type { ByteStream } from "../../core/sessions/types.ts";
import { memoryStreamPair } from "../../core/streams/memory_stream.ts";
import type { Connect } from "./connector.ts";
import { type SocksLimits, SocksServer } from "./socks_server.ts";

const nobody: Connect = () => Promise.reject(new PulseError("NODE_UNKNOWN", "unknown"));

function serve(connect: Connect, limits: Partial<SocksLimits> = {}): SocksServer {
  return new SocksServer({
    hostname: "127.0.0.1",
    port: 0,
    users: new Map(),
    connect,
    log: () => {},
    limits,
  });
}

function dial(server: SocksServer): Promise<Deno.TcpConn> {
  return Deno.connect({ hostname: "127.0.0.1", port: server.port });
}

async function readAll(conn: Deno.Conn): Promise<Uint8Array> {
  const parts: number[] = [];
  for await (const chunk of conn.readable) parts.push(...chunk);
  return Uint8Array.from(parts);
}

async function readExactly(conn: Deno.Conn, length: number): Promise<Uint8Array> {
  const out = new Uint8Array(length);
  for (let at = 0; at < length;) {
    const count = await conn.read(out.subarray(at));
    assert.ok(count !== null, `the connection ended after ${at} of ${length} bytes`);
    at += count;
  }
  return out;
}

const connectTo = (name: string, port: number) =>
  Uint8Array.from([
    ...[5, 1, 0, 5, 1, 0, 3, name.length],
    ...new TextEncoder().encode(name),
    ...[port >> 8, port & 255],
  ]);

/** Both ends of what the server connects a client with. */
function oneStream(): { connect: Connect; far: ByteStream } {
  const [near, far] = memoryStreamPair();
  return { connect: () => Promise.resolve(near), far };
}

Deno.test("a client's bytes reach where it wanted to go, half-close and all, and come back", async () => {
  const asked: unknown[] = [];
  const { connect, far } = oneStream();
  await using server = serve((request, signal) => {
    asked.push(request);
    return connect(request, signal);
  });
  const reversing = (async () => {
    const heard: number[] = [];
    for (let chunk = await far.read(); chunk !== null; chunk = await far.read()) {
      heard.push(...chunk);
    }
    await far.write(Uint8Array.from(heard.reverse()));
    await far.closeWrite();
  })();
  const conn = await dial(server);
  // The payload rides behind the request in one segment.
  await conn.write(Uint8Array.from([...connectTo("abcd.pulse", 80), 1, 2, 3]));
  await conn.closeWrite();
  assert.deepEqual([...await readAll(conn)], [5, 0, 5, 0, 0, 1, 0, 0, 0, 0, 0, 0, 3, 2, 1]);
  assert.deepEqual(asked, [{ host: "abcd.pulse", port: 80 }]);
  await reversing;
  await far.closed;
  assert.equal(server.counters.connected, 1);
  assert.deepEqual(server.bytes, { aToB: 3, bToA: 3, dropped: 0 });
});

Deno.test("a client that sends one byte per segment is served", async () => {
  const { connect, far } = oneStream();
  await using server = serve(connect);
  const conn = await dial(server);
  for (const byte of connectTo("abcd.pulse", 443)) await conn.write(Uint8Array.of(byte));
  assert.deepEqual([...await readExactly(conn, 12)], [5, 0, 5, 0, 0, 1, 0, 0, 0, 0, 0, 0]);
  far.reset();
  conn.close();
});

Deno.test("a refusal is told by its code, also to a client that keeps sending", async () => {
  const cases = [["STREAM_REFUSED", 5], ["NODE_UNKNOWN", 4], ["SOCKS_OUTSIDE", 2], [
    "ODD",
    1,
  ]] as const;
  for (const [code, reply] of cases) {
    await using server = serve(() => Promise.reject(new PulseError(code, "refused")));
    const conn = await dial(server);
    await conn.write(connectTo("abcd.pulse", 80));
    await conn.write(new Uint8Array(100_000));
    const answer = await readExactly(conn, 12);
    assert.deepEqual([...answer.subarray(0, 4)], [5, 0, 5, reply]);
    conn.close();
    assert.equal(server.counters.failed, 1);
  }
});

Deno.test("success is not said before the far end has answered", async () => {
  const answered = Promise.withResolvers<ByteStream>();
  await using server = serve(() => answered.promise);
  const conn = await dial(server);
  await conn.write(connectTo("abcd.pulse", 80));
  await readExactly(conn, 2);
  const next = readExactly(conn, 10);
  answered.reject(new PulseError("STREAM_TIMEOUT", "no answer"));
  assert.equal((await next)[1], 6);
  conn.close();
});

Deno.test("a far end that breaks ends the client's connection, a client that breaks resets the stream", async () => {
  for (const broken of ["far", "client"]) {
    const { connect, far } = oneStream();
    await using server = serve(connect);
    const conn = await dial(server);
    await conn.write(connectTo("abcd.pulse", 80));
    await readExactly(conn, 12);
    if (broken === "far") {
      far.reset(9);
      assert.equal((await readAll(conn)).length, 0);
    } else {
      // Unread data at the client makes its kernel send a reset.
      await far.write(new Uint8Array(10));
      conn.close();
      await assert.rejects(async () => {
        for (;;) await far.write(new Uint8Array(60_000));
      }, StreamResetError);
    }
    await far.closed;
  }
});

Deno.test("another protocol is dropped, and others are served all the same", async () => {
  await using server = serve(nobody);
  const bad = await dial(server);
  await bad.write(new TextEncoder().encode("GET / HTTP/1.1\r\n\r\n"));
  assert.equal((await readAll(bad)).length, 0);
  const good = await dial(server);
  await good.write(connectTo("abcd.pulse", 80));
  assert.equal((await readExactly(good, 12))[3], 4);
  good.close();
});

Deno.test("a client that dawdles over its handshake is dropped", async () => {
  await using server = serve(nobody, { handshakeTimeoutMs: 50 });
  const silent = await dial(server);
  assert.equal((await readAll(silent)).length, 0);
  // A byte now and then does not extend the time.
  const slow = await dial(server);
  const ended = readAll(slow);
  for (let over = false; !over;) {
    await slow.write(Uint8Array.of(5, 255)).catch(() => over = true);
    over ||= await Promise.race([ended.then(() => true, () => true), Promise.resolve(false)]);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
});

Deno.test("unfinished handshakes cannot take every place, and places are not without number", async () => {
  const { connect } = oneStream();
  await using server = serve(connect, { maxHandshakes: 1, maxConnections: 2 });
  const idle = await dial(server);
  await idle.write(Uint8Array.of(5));
  const turnedAway = await dial(server);
  assert.equal((await readAll(turnedAway)).length, 0);
  assert.equal(server.counters.rejected, 1);
  await idle.write(connectTo("abcd.pulse", 80).subarray(1));
  await readExactly(idle, 12);
  const second = await dial(server);
  await second.write(Uint8Array.of(5));
  const third = await dial(server);
  assert.equal((await readAll(third)).length, 0);
  assert.equal(server.connections, 2);
  idle.close();
  second.close();
});

Deno.test("stopping ends every connection, whatever it was at", async () => {
  const { connect } = oneStream();
  const server = serve((request, signal) =>
    request.port === 1 ? connect(request, signal) : new Promise((_, reject) => {
      signal.addEventListener("abort", () => reject(signal.reason));
    })
  );
  const conns = await Promise.all([dial(server), dial(server), dial(server)]);
  await conns[0]!.write(connectTo("abcd.pulse", 1));
  await readExactly(conns[0]!, 12);
  await conns[1]!.write(connectTo("abcd.pulse", 2));
  await readExactly(conns[1]!, 2);
  await server[Symbol.asyncDispose]();
  for (const conn of conns) await readAll(conn).catch(() => {/* ended or reset: it is over */});
  assert.equal(server.connections, 0);
});

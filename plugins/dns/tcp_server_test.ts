import assert from "node:assert/strict";
import { eventually } from "../../tests/lab/mod.ts";
import { ClientList } from "./client_list.ts";
import { rrType } from "./constants.ts";
import { Directory } from "./directory.ts";
import { Gate } from "./gate.ts";
import { RateLimit } from "./rate_limit.ts";
import { Responder } from "./responder.ts";
import { readExactly, writeAll } from "./tcp_frame.ts";
import { type TcpLimits, TcpServer } from "./tcp_server.ts";
import { sampleSnapshot } from "./testing.ts";
import { UdpServer } from "./udp_server.ts";
import { question } from "./wire_testing.ts";
import type { Json } from "../../core/plugin/types.ts";

function parts(clients: readonly string[] = ["127.0.0.0/8"]) {
  const directory = new Directory({
    call: () => Promise.resolve(sampleSnapshot() as unknown as Json),
    log: () => {},
    now: () => performance.now(),
  });
  return {
    hostname: "127.0.0.1",
    port: 0,
    responder: new Responder(directory, undefined),
    gate: new Gate({
      clients: new ClientList(clients),
      rate: new RateLimit({ perSecond: 1, burst: 1, maxSources: 1 }),
      now: () => performance.now(),
    }),
    log: () => {},
  };
}

const serve = (limits: Partial<TcpLimits> = {}) => new TcpServer({ ...parts(), limits });
const connect = ({ port }: { readonly port: number }) =>
  Deno.connect({ hostname: "127.0.0.1", port });

function framed(message: Uint8Array): Uint8Array {
  return Uint8Array.of(message.length >> 8, message.length & 255, ...message);
}

async function readMessage(conn: Deno.TcpConn): Promise<Uint8Array | null> {
  const head = await readExactly(conn, 2);
  return head === null ? null : await readExactly(conn, head[0]! << 8 | head[1]!);
}

Deno.test("many questions sent ahead on one connection are all answered, and then its end is", async () => {
  await using server = serve({ maxPipelined: 4 });
  using conn = await connect(server);
  const wanted = Array.from({ length: 200 }, (_, id) => id);
  const all = wanted.flatMap((id) => [...framed(question("db.pulse", rrType.A, { id }))]);
  await writeAll(conn, Uint8Array.from(all));
  await conn.closeWrite();
  const ids: number[] = [];
  for (let m = await readMessage(conn); m !== null; m = await readMessage(conn)) {
    ids.push(m[0]! << 8 | m[1]!);
    assert.equal(m[7], 1, "one answer");
  }
  assert.deepEqual(ids.sort((a, b) => a - b), wanted);
});

Deno.test("who is silent, asks too much at once or comes too often is sent away", async () => {
  await using server = serve({ idleMs: 200, maxPerClient: 2 });
  const gone = async (conn: Deno.TcpConn) => {
    try {
      return await conn.read(new Uint8Array(1)) === null;
    } catch {
      // A reset says the same.
      return true;
    }
  };
  using silent = await connect(server);
  using long = await connect(server);
  await eventually(() => server.connections === 2, { what: "two connections" });
  using third = await connect(server);
  assert.ok(await gone(third));
  assert.equal(server.counters.rejected, 1);
  await writeAll(long, Uint8Array.of(0xff, 0xff, 1, 2, 3));
  assert.ok(await gone(long));
  assert.ok(await gone(silent));
  await eventually(() => server.connections === 0, { what: "no connection" });
});

Deno.test("a server that stops takes its connections with it", async () => {
  const server = serve();
  using conn = await connect(server);
  await writeAll(conn, framed(question("db.pulse", rrType.A)));
  assert.ok(await readMessage(conn));
  await server[Symbol.asyncDispose]();
  await assert.rejects(connect(server));
});

Deno.test("datagrams of strangers get nothing, and garbage costs nobody else an answer", async () => {
  await using server = new UdpServer(parts(["127.0.0.2"]));
  const bind = (hostname: string) => Deno.listenDatagram({ transport: "udp", hostname, port: 0 });
  const stranger = bind("127.0.0.1");
  const client = bind("127.0.0.2");
  try {
    const to = { transport: "udp" as const, hostname: "127.0.0.1", port: server.port };
    await stranger.send(question("db.pulse", rrType.A), to);
    for (let n = 0; n < 300; n++) {
      await client.send(crypto.getRandomValues(new Uint8Array(n % 64)), to);
    }
    // It went through the same socket after everything else: an answer means that the rest is done with.
    const answer = await eventually(async () => {
      await client.send(question("db.pulse", rrType.A, { id: 0xbeef }), to);
      const [message] = await client.receive();
      return message[0] === 0xbe && message[1] === 0xef && message[7] === 1;
    }, { what: "an answer", intervalMs: 1 });
    assert.ok(answer);
    assert.equal(server.counters.dropped, 1);
  } finally {
    stranger.close();
    client.close();
  }
});

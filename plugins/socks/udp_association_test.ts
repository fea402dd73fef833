import assert from "node:assert/strict";
import { PulseError } from "../../core/errors/mod.ts";
import type { ByteStream } from "../../core/sessions/types.ts";
import { DatagramStream } from "../../core/streams/datagram_stream.ts";
import { memoryStreamPair } from "../../core/streams/memory_stream.ts";
import { TestUdpSocket } from "../../core/streams/udp_testing.ts";
import type { Connect } from "./connector.ts";
import type { SocksRequest } from "./socks_protocol.ts";
import { type SocksLimits, SocksServer } from "./socks_server.ts";
import { SocksUdpClient } from "./udp_testing.ts";

const bytes = (text: string) => new TextEncoder().encode(text);

function serve(
  associate: Connect | undefined,
  limits: Partial<SocksLimits> = {},
  hostname = "127.0.0.1",
) {
  const connect: Connect = () => Promise.reject(new PulseError("NODE_UNKNOWN", "unknown"));
  const log = () => {};
  return new SocksServer({ hostname, port: 0, users: new Map(), connect, associate, log, limits });
}

/** A mesh in which everybody answers with what was asked and by whom. */
function echoingMesh() {
  const asked: string[] = [];
  const far: ByteStream[] = [];
  const associate: Connect = ({ host, port }: SocksRequest) => {
    asked.push(`${host}:${port}`);
    const [near, other] = memoryStreamPair();
    far.push(other);
    void (async () => {
      const flow = new DatagramStream(other);
      for (let one = await flow.receive(); one !== null; one = await flow.receive()) {
        await flow.send(one);
      }
    })().catch(() => {/* the association has ended */});
    return Promise.resolve(near);
  };
  return { asked, far, associate };
}

for (const hostname of ["127.0.0.1", "::1"]) {
  Deno.test(`datagrams to several places are carried on ${hostname}, each answer under the address asked`, async () => {
    const { asked, associate } = echoingMesh();
    await using server = serve(associate, {}, hostname);
    using client = await SocksUdpClient.open(hostname, server.port);
    assert.equal(client.relay.hostname, hostname);
    for (const [host, port, text] of [["a.pulse", 53, "one"], ["b.pulse", 5000, "two"]] as const) {
      await client.send(host, port, bytes(text));
      assert.deepEqual(await client.receive(), { from: `${host}:${port}`, payload: bytes(text) });
    }
    await client.send("a.pulse", 53, new Uint8Array(60_000));
    assert.equal((await client.receive()).payload.length, 60_000);
    await client.send("a.pulse", 53, new Uint8Array(0));
    assert.equal((await client.receive()).payload.length, 0);
    assert.deepEqual(asked, ["a.pulse:53", "b.pulse:5000"]);
    assert.deepEqual(server.bytes, { aToB: 60_006, bToA: 60_006, dropped: 0 });
  });
}

Deno.test("fragments, nonsense and datagrams of others are dropped and counted", async () => {
  const { asked, associate } = echoingMesh();
  await using server = serve(associate);
  using client = await SocksUdpClient.open("127.0.0.1", server.port);
  using other = new TestUdpSocket();
  await client.send("a.pulse", 53, bytes("mine"));
  await client.receive();
  await client.send("a.pulse", 53, bytes("half"), 1);
  for (const raw of [[], [0, 0, 0], [0, 0, 0, 9, 1], [0, 0, 0, 1, 10, 0, 0, 1, 0, 0]]) {
    await client.sendRaw(Uint8Array.from(raw));
  }
  await other.send(Uint8Array.from([0, 0, 0, 1, 10, 0, 0, 1, 0, 53, 1]), client.relay);
  // What comes after them on the same socket tells that they were seen.
  await client.send("a.pulse", 53, bytes("last"));
  assert.deepEqual((await client.receive()).payload, bytes("last"));
  assert.deepEqual(asked, ["a.pulse:53"]);
  assert.equal(server.bytes.dropped, 6);
});

Deno.test("the destination used longest ago makes room, and one whose far side ends is opened again", async () => {
  const { asked, far, associate } = echoingMesh();
  await using server = serve(associate, { maxFlows: 2 });
  using client = await SocksUdpClient.open("127.0.0.1", server.port);
  const ask = async (host: string) => {
    await client.send(host, 1, bytes(host));
    assert.deepEqual((await client.receive()).payload, bytes(host));
  };
  for (const host of ["a", "b", "a", "c"]) await ask(host);
  await far[1]!.closed;
  assert.deepEqual(asked, ["a:1", "b:1", "c:1"]);
  far[0]!.reset();
  // Datagrams into a flow that is just ending are lost: a client of UDP asks again.
  for (let again = 0; asked.length < 4 && again < 1000; again++) {
    await client.send("a", 1, bytes("again"));
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  assert.equal(asked[3], "a:1");
});

Deno.test("the end of the connection is the end of its datagrams, and frees its place", async () => {
  const { far, associate } = echoingMesh();
  await using server = serve(associate, { maxAssociations: 1 });
  {
    using first = await SocksUdpClient.open("127.0.0.1", server.port);
    await first.send("a.pulse", 1, bytes("x"));
    await first.receive();
    await assert.rejects(SocksUdpClient.open("127.0.0.1", server.port), /answered 1/);
  }
  await far[0]!.closed;
  using _second = await SocksUdpClient.open("127.0.0.1", server.port);
});

Deno.test("a destination that cannot be had costs its datagrams, and others go on", async () => {
  const { associate } = echoingMesh();
  let refused = 0;
  await using server = serve((request, signal) => {
    if (request.host !== "gone") return associate(request, signal);
    refused++;
    return Promise.reject(new PulseError("NODE_UNKNOWN", "no such node"));
  });
  using client = await SocksUdpClient.open("127.0.0.1", server.port);
  for (let n = 0; n < 20; n++) await client.send("gone", 1, bytes("x"));
  await client.send("here", 1, bytes("y"));
  assert.equal((await client.receive()).from, "here:1");
  assert.equal(refused, 1);
});

Deno.test("where datagrams are not carried UDP ASSOCIATE is refused as an unknown command", async () => {
  await using server = serve(undefined);
  await assert.rejects(SocksUdpClient.open("127.0.0.1", server.port), /answered 7/);
});

import assert from "node:assert/strict";
import { createTestCa } from "../../core/identity/testing.ts";
import { nodeServerName } from "../../core/identity/mod.ts";
import { Arena } from "../libc/arena.ts";
import { Libc } from "../libc/libc.ts";
import { ReceiveBatch } from "./receive_batch.ts";
import { SendBatch } from "./send_batch.ts";
import { AddressSlot } from "./socket_address.ts";
import { findUdpSockets, sharePort } from "./shared_port.ts";
import { UdpSocket } from "./udp_socket.ts";

const MAGIC = 0x7075_6c73;
const alpnProtocols = ["test"];

/** A QUIC server that echoes streams, and a client of it. */
async function quicEcho(hostname: string) {
  const ca = await createTestCa();
  const { key, certificate, anchor } = await ca.issue();
  const endpoint = new Deno.QuicEndpoint({ hostname, port: 0 });
  const listener = endpoint.listen({
    cert: certificate.pem,
    key: key.privateKeyPem,
    alpnProtocols,
  });
  const over = () => {
    // The client has closed its connection, or the listener is stopped: the test is over.
  };
  const echo = async (incoming: Deno.QuicIncoming) => {
    const { incomingBidirectionalStreams } = await incoming.accept();
    for await (const { readable, writable } of incomingBidirectionalStreams) {
      readable.pipeTo(writable).catch(over);
    }
  };
  const serving = (async () => {
    for await (const incoming of listener) echo(incoming).catch(over);
  })().catch(over);
  const { port } = endpoint.addr;
  const dialEndpoint = new Deno.QuicEndpoint({ hostname, port: 0 });
  const connect = async () => {
    const connection = await Deno.connectQuic({
      endpoint: dialEndpoint,
      hostname,
      port,
      serverName: nodeServerName(key.id, certificate.network),
      alpnProtocols,
      caCerts: [anchor.pem],
    });
    const stream = await connection.createBidirectionalStream();
    const [writer, reader] = [stream.writable.getWriter(), stream.readable.getReader()];
    return {
      async echo(byte: number): Promise<number | undefined> {
        await writer.write(Uint8Array.of(byte));
        return (await reader.read()).value?.[0];
      },
      async [Symbol.asyncDispose]() {
        await writer.close();
        while (!(await reader.read()).done);
        connection.close({ closeCode: 0, reason: "" });
      },
    };
  };
  return {
    address: { address: hostname, port },
    connect,
    async [Symbol.asyncDispose]() {
      listener.stop();
      endpoint.close();
      dialEndpoint.close();
      await serving;
    },
  };
}

for (const hostname of ["127.0.0.1", "::1"]) {
  Deno.test(`${hostname}: QUIC and a second socket share one port, each gets its own`, async () => {
    await using quic = await quicEcho(hostname);
    using libc = Libc.open();
    using arena = new Arena(libc, 1 << 16);
    await using connection = await quic.connect();
    const steering = { value: MAGIC };
    const port = sharePort(libc, { with: quic.address, steering, bufferBytes: 4 << 20 });
    using socket = port.socket;
    assert.equal(port.shared, true);
    assert.deepEqual(socket.address, quic.address);

    using sender = UdpSocket.bind(libc, { address: hostname, port: 0 });
    const sends = new SendBatch(libc, arena, 1);
    const to = new AddressSlot(arena, sender.family);
    to.set(quic.address);
    const at = arena.allocate(8);
    arena.view.setUint32(at, MAGIC);
    const receives = new ReceiveBatch(libc, arena, socket.family, 1);
    const into = arena.allocate(2000);
    receives.set(0, into, 2000);

    let received = 0;
    const drain = () => {
      while (receives.receive(socket, 1) === 1) {
        assert.equal(arena.view.getUint32(into), MAGIC);
        received += Math.ceil(receives.length(0) / 8);
      }
    };
    for (let round = 0; round < 200; round++) {
      sends.set(0, to, at, 8);
      assert.equal(sends.send(sender, 0, 1), 1);
      assert.equal(await connection.echo(round), round);
      drain();
    }
    assert.equal(received, 200);
    // A stranger's datagrams, also one too short to be marked, go to QUIC, which ignores them.
    for (const length of [3, 4]) {
      arena.view.setUint32(at, length === 3 ? MAGIC : MAGIC + 1);
      sends.set(0, to, at, length);
      sends.send(sender, 0, 1);
    }
    await using late = await quic.connect();
    assert.equal(await late.echo(7), 7);
    drain();
    assert.equal(received, 200);
  });
}

Deno.test("steering may look at some of the bits only", async () => {
  await using quic = await quicEcho("127.0.0.1");
  using libc = Libc.open();
  using arena = new Arena(libc, 1 << 16);
  const steering = { value: 0x1200_0000, mask: 0xff00_0000 };
  const port = sharePort(libc, { with: quic.address, steering });
  using socket = port.socket;
  using sender = UdpSocket.bind(libc, { address: "127.0.0.1", port: 0 });
  const [sends, receives] = [
    new SendBatch(libc, arena, 1),
    new ReceiveBatch(libc, arena, "ipv4", 1),
  ];
  const to = new AddressSlot(arena, "ipv4");
  to.set(quic.address);
  const at = arena.allocate(4);
  receives.set(0, arena.allocate(2000), 2000);
  for (const [word, mine] of [[0x1234_5678, 1], [0x1334_5678, -11], [0x12ff_ffff, 1]] as const) {
    arena.view.setUint32(at, word);
    sends.set(0, to, at, 4);
    sends.send(sender, 0, 1); // loopback: it has arrived when the call returns
    assert.equal(receives.receive(socket, 1), mine);
  }
});

Deno.test("where there is nothing to share, the socket gets a port of its own and the reason", () => {
  using libc = Libc.open();
  const port = sharePort(libc, { with: { address: "127.0.0.1", port: 1 }, steering: { value: 1 } });
  using socket = port.socket;
  assert.ok(!port.shared);
  assert.notEqual(socket.address.port, 1);
  assert.equal(port.reason.message, "this process has no UDP socket on 127.0.0.1 port 1");
});

Deno.test("a TCP listener on the same port is not taken for the UDP socket", () => {
  using libc = Libc.open();
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  assert.deepEqual(findUdpSockets(libc, { address: "127.0.0.1", port }), []);
  using socket = UdpSocket.bind(libc, { address: "127.0.0.1", port });
  assert.deepEqual(findUdpSockets(libc, { address: "127.0.0.1", port }), [socket.fd]);
});

Deno.test("a second socket that was left behind is taken over, wherever its file lies, and goes on receiving", async () => {
  await using quic = await quicEcho("127.0.0.1");
  using libc = Libc.open();
  using arena = new Arena(libc, 1 << 16);
  const share = () => sharePort(libc, { with: quic.address, steering: { value: MAGIC } });
  const left = share();
  const again = share();
  using socket = again.socket;
  assert.deepEqual([again.shared, socket.fd], [true, left.socket.fd]);
  using sender = UdpSocket.bind(libc, { address: "127.0.0.1", port: 0 });
  const [sends, receives] = [
    new SendBatch(libc, arena, 1),
    new ReceiveBatch(libc, arena, "ipv4", 1),
  ];
  const to = new AddressSlot(arena, "ipv4");
  to.set(quic.address);
  const at = arena.allocate(4);
  arena.view.setUint32(at, MAGIC);
  receives.set(0, arena.allocate(2000), 2000);
  sends.set(0, to, at, 4);
  assert.equal(sends.send(sender, 0, 1), 1);
  assert.equal(receives.receive(socket, 1), 1);
  await using connection = await quic.connect();
  assert.equal(await connection.echo(3), 3);
});

import assert from "node:assert/strict";
import { DialError, SessionClosedError, StreamResetError } from "../errors.ts";
import type { ByteStream } from "../types.ts";
import { SessionCloseCode } from "../types.ts";
import {
  collectGarbage,
  connectNodes,
  strangerConnection,
  testCa,
  testNetwork,
  type TestNode,
  testNode,
} from "./testing.ts";

const patient = { signal: new AbortController().signal };

async function assertAlive(near: ByteStream, far: ByteStream): Promise<void> {
  await near.write(Uint8Array.of(1, 2, 3));
  assert.deepEqual(await far.read(), Uint8Array.of(1, 2, 3));
}

Deno.test("a dialler that knows only the address learns the id and ends up with that node", async () => {
  await using near = await testNode();
  await using far = await testNode();
  const accepting = far.transport.accept();
  const session = await near.transport.dial(far.transport.address, patient);
  assert.equal(session.peer.id, far.id);
  const accepted = await accepting;
  assert.equal(accepted?.peer.id, near.id);
  assert.equal(session.kind, "quic");
  // The connection that asked for the name was not served.
  assert.equal(far.transport.stats.unauthenticated, 0);
});

Deno.test("a DNS name is resolved to an address the socket can reach", async () => {
  await using near = await testNode();
  await using far = await testNode();
  const { port } = far.transport.address;
  const accepting = far.transport.accept();
  const session = await near.transport.dial({ host: "localhost", port, expect: far.id }, patient);
  assert.equal(session.remoteAddress, `127.0.0.1:${port}`);
  assert.ok(await accepting !== null);
  await assert.rejects(
    near.transport.dial({ host: "::1", port, expect: far.id }, patient),
    DialError,
  );
  await assert.rejects(
    near.transport.dial({ host: "no-such-host.invalid", port, expect: far.id }, patient),
    DialError,
  );
});

Deno.test("dials leave from the listening port, and two nodes may dial each other at once", async () => {
  await using one = await testNode();
  await using two = await testNode();
  const [[fromOne, atTwo], [fromTwo, atOne]] = await Promise.all([
    connectNodes(one, two),
    connectNodes(two, one),
  ]);
  assert.equal(atTwo.remoteAddress, `127.0.0.1:${one.transport.address.port}`);
  assert.equal(atOne.remoteAddress, `127.0.0.1:${two.transport.address.port}`);
  assert.equal(fromOne.peer.id, two.id);
  assert.equal(fromTwo.peer.id, one.id);
});

Deno.test("a dial that expects another node than lives there fails", async () => {
  await using near = await testNode();
  await using far = await testNode();
  await using third = await testNode();
  await assert.rejects(
    near.transport.dial({ ...far.transport.address, expect: third.id }, patient),
    /not valid for name/,
  );
});

Deno.test("a redial of the same peer works after 0-RTT is possible, and after it is declined", async () => {
  await using near = await testNode();
  await using far = await testNode();
  for (let round = 0; round < 6; round++) {
    // Round 3 on: the acceptor has forgotten its tickets, as after a restart.
    if (round === 3) far.transport.refreshCredentials();
    const [session, accepted] = await connectNodes(near, far);
    const stream = await session.openStream();
    await stream.write(Uint8Array.of(round));
    // By now the ticket of this connection has arrived too.
    assert.deepEqual(await (await accepted.acceptStream())?.read(), Uint8Array.of(round));
    await session.close();
    await accepted.closed;
  }
});

Deno.test("so does a dial that knows only the address", async () => {
  await using near = await testNode();
  await using far = await testNode();
  for (let round = 0; round < 8; round++) {
    // Not each round has a ticket: one is good for one connection.
    if (round >= 3) far.transport.refreshCredentials();
    const accepting = far.transport.accept();
    const session = await near.transport.dial(far.transport.address, patient);
    const accepted = await accepting;
    assert.ok(accepted !== null);
    const stream = await session.openStream();
    await stream.write(Uint8Array.of(round));
    assert.deepEqual(await (await accepted.acceptStream())?.read(), Uint8Array.of(round));
    await session.close();
    await accepted.closed;
  }
});

Deno.test("renewed credentials are shown to new diallers while sessions live on", async () => {
  const ca = await testCa();
  const first = await ca.issue();
  const second = await ca.issue({ key: first.key });
  let current = first;
  await using near = await testNode();
  await using far = await testNode({
    credentials: first,
    policy: {
      network: testNetwork,
      credentials: () => current,
      admit: () => {},
      now: () => Date.now(),
    },
  });
  const [before, beforeFar] = await connectNodes(near, far);
  const old = await before.openStream();
  await old.write(Uint8Array.of(0));
  const oldFar = await beforeFar.acceptStream();
  assert.ok(oldFar !== null);
  await oldFar.read();
  current = second;
  far.transport.refreshCredentials();
  const [after] = await connectNodes(near, far);
  // Collecting the listener of before would silence the endpoint: the transport has to hold on to it.
  for (let i = 0; i < 5; i++) {
    collectGarbage();
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  await connectNodes(near, far);
  assert.equal(before.peer.serial, first.certificate.serial);
  assert.equal(after.peer.serial, second.certificate.serial);
  await assertAlive(old, oldFar);
});

/** Passes the first stream of every connection it gets on to `target`'s first stream, as a member in the middle would. */
async function relayFirstStreams(middle: Deno.QuicListener, target: TestNode): Promise<void> {
  const endpoint = new Deno.QuicEndpoint({ hostname: "127.0.0.1", port: 0 });
  const relayed: Promise<unknown>[] = [];
  try {
    for (;;) {
      const incoming = await middle.incoming();
      relayed.push(
        (async () => {
          const victim = await incoming.accept();
          const onward = await strangerConnection(target, endpoint);
          const { value: from } = await victim.incomingBidirectionalStreams.getReader().read();
          const to = await onward.createBidirectionalStream();
          if (from !== undefined) {
            await Promise.allSettled([
              from.readable.pipeTo(to.writable),
              to.readable.pipeTo(from.writable),
            ]);
          }
          onward.close();
        })().catch(() => {/* the victim never got through QUIC's own handshake */}),
      );
    }
  } catch {
    // The test closed the endpoint.
    await Promise.all(relayed);
    endpoint.close();
  }
}

Deno.test("a member in the middle that passes the inner handshake on gains nothing", async () => {
  await using victim = await testNode({ limits: { handshakeTimeoutMs: 3_000 } });
  await using target = await testNode({ limits: { handshakeTimeoutMs: 3_000 } });
  const member = await (await testCa()).issue();
  const endpoint = new Deno.QuicEndpoint({ hostname: "127.0.0.1", port: 0 });
  const listener = endpoint.listen({
    cert: member.certificate.pem,
    key: member.key.privateKeyPem,
    alpnProtocols: ["pulse/1"],
  });
  const relaying = relayFirstStreams(listener, target);
  let served = false;
  const accepting = target.transport.accept().then((session) => served ||= session !== null);
  const address = { host: "127.0.0.1", port: endpoint.addr.port };
  // Whom the address belongs to is not known: the inner TLS says "target", the redial by that name finds the member.
  await assert.rejects(victim.transport.dial(address, patient), (error: unknown) => {
    assert.ok(error instanceof DialError, `${error}`);
    assert.match(error.message, /not valid for name/);
    return true;
  });
  // The member itself is dialled: the inner TLS is somebody else's.
  await assert.rejects(
    victim.transport.dial({ ...address, expect: member.certificate.id }, patient),
    /altnames|Hostname|refused/i,
  );
  // The target is dialled: the member cannot be it.
  await assert.rejects(
    victim.transport.dial({ ...address, expect: target.id }, patient),
    /not valid for name/,
  );
  endpoint.close();
  await relaying;
  await target.transport.close();
  await accepting;
  assert.equal(served, false);
});

Deno.test("a dial to a port where nobody answers fails in the time for a handshake", async () => {
  await using near = await testNode({ limits: { handshakeTimeoutMs: 300 } });
  const silent = Deno.listenDatagram({ transport: "udp", hostname: "127.0.0.1", port: 0 });
  const { port } = silent.addr as Deno.NetAddr;
  const { id } = (await (await testCa()).issue()).certificate;
  await assert.rejects(
    near.transport.dial({ host: "127.0.0.1", port, expect: id }, patient),
    /in time/,
  );
  const controller = new AbortController();
  const reason = new Error("no longer wanted");
  const dialling = near.transport.dial({ host: "127.0.0.1", port }, { signal: controller.signal });
  controller.abort(reason);
  await assert.rejects(dialling, reason);
  silent.close();
});

Deno.test("closing the transport ends sessions with shuttingDown, accept() with null, dials with an error", async () => {
  await using near = await testNode();
  const far = await testNode();
  const [session] = await connectNodes(near, far);
  const accepting = far.transport.accept();
  await far.transport.close();
  await far.transport.close();
  assert.equal(await accepting, null);
  assert.equal(await far.transport.accept(), null);
  assert.equal((await session.closed).code, SessionCloseCode.shuttingDown);
  await assert.rejects(far.transport.dial(near.transport.address, patient), SessionClosedError);
});

Deno.test("a port that is taken is a DialError", async () => {
  await using near = await testNode();
  await assert.rejects(testNode({ port: near.transport.address.port }), DialError);
});

Deno.test("reset codes reach the peer, also of streams that never carried a byte", async () => {
  await using near = await testNode();
  await using far = await testNode();
  const [session, accepted] = await connectNodes(near, far);
  const silent = await session.openStream();
  silent.reset(9);
  const stream = await session.openStream();
  await stream.write(Uint8Array.of(1));
  const peer = await accepted.acceptStream();
  assert.ok(peer !== null);
  assert.deepEqual(await peer.read(), Uint8Array.of(1));
  const reading = peer.read();
  stream.reset(123_456);
  await assert.rejects(reading, (error: unknown) => {
    assert.ok(error instanceof StreamResetError);
    assert.equal(error.resetCode, 123_456);
    return true;
  });
  // The silent stream was never shown; the next one is the next one.
  const next = await session.openStream();
  await next.write(Uint8Array.of(2));
  assert.deepEqual(await (await accepted.acceptStream())?.read(), Uint8Array.of(2));
  assert.equal(accepted.stats.streamsAccepted, 2);
});

Deno.test("a reset never looks like an end, however it races with the data", async () => {
  await using near = await testNode();
  await using far = await testNode();
  const [session, accepted] = await connectNodes(near, far);
  for (let round = 0; round < 300; round++) {
    const stream = await session.openStream();
    await stream.write(new Uint8Array(1 + round * 17));
    const peer = await accepted.acceptStream();
    assert.ok(peer !== null);
    const reading = (async () => {
      while (await peer.read() !== null);
    })();
    const rejected = assert.rejects(reading, StreamResetError);
    if (round % 2 === 0) stream.write(new Uint8Array(50_000)).catch(() => {});
    if (round % 3 === 0) peer.write(Uint8Array.of(1)).catch(() => {});
    stream.reset(round);
    await rejected;
  }
});

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { StreamResetError } from "../errors.ts";
import { type Session, SessionCloseCode } from "../types.ts";
import { type TestNode, testNode } from "./testing.ts";
import { UdpProxy } from "./udp_proxy.ts";

async function connectThrough(
  proxy: UdpProxy,
  from: TestNode,
  to: TestNode,
): Promise<[Session, Session]> {
  const accepting = to.transport.accept();
  const session = await from.transport.dial(
    { host: "127.0.0.1", port: proxy.port, expect: to.id },
    { signal: new AbortController().signal },
  );
  const accepted = await accepting;
  assert.ok(accepted !== null);
  return [session, accepted];
}

Deno.test("session and bytes survive a NAT that changes the port in mid-transfer", async () => {
  await using near = await testNode();
  await using far = await testNode();
  using proxy = new UdpProxy(far.transport.address);
  const [session, accepted] = await connectThrough(proxy, near, far);
  const before = accepted.remoteAddress;
  const sent = createHash("sha256");
  const received = createHash("sha256");
  const stream = await session.openStream();
  const chunk = crypto.getRandomValues(new Uint8Array(60_000));
  const writing = (async () => {
    for (let i = 0; i < 300; i++) {
      chunk[0] = i;
      await stream.write(chunk);
      sent.update(chunk);
      if (i === 100 || i === 200) proxy.rebind();
    }
    await stream.closeWrite();
  })();
  const peer = await accepted.acceptStream();
  assert.ok(peer !== null);
  for (let data = await peer.read(); data !== null; data = await peer.read()) received.update(data);
  await writing;
  assert.equal(received.digest("hex"), sent.digest("hex"));
  await peer.write(Uint8Array.of(1));
  assert.deepEqual(await stream.read(), Uint8Array.of(1));
  assert.notEqual(accepted.remoteAddress, before, "the session follows the peer's address");
});

Deno.test("a peer that went silent ends the session with idleTimeout within the idle time", async () => {
  const limits = { keepAliveMs: 100, idleTimeoutMs: 600 };
  await using near = await testNode({ limits });
  await using far = await testNode({ limits });
  using proxy = new UdpProxy(far.transport.address);
  const [session, accepted] = await connectThrough(proxy, near, far);
  const stream = await session.openStream();
  await stream.write(Uint8Array.of(1));
  const reading = assert.rejects(stream.read(), StreamResetError);
  proxy.kill();
  const from = performance.now();
  const [here, there] = await Promise.all([session.closed, accepted.closed]);
  assert.equal(here.code, SessionCloseCode.idleTimeout);
  assert.equal(here.remote, false);
  assert.equal(there.code, SessionCloseCode.idleTimeout);
  assert.ok(performance.now() - from < 10_000);
  await reading;
  await stream.closed;
});

Deno.test("keepalives hold an idle session beyond the idle time", async () => {
  const limits = { keepAliveMs: 100, idleTimeoutMs: 500 };
  await using near = await testNode({ limits });
  await using far = await testNode({ limits });
  using proxy = new UdpProxy(far.transport.address);
  const [session, accepted] = await connectThrough(proxy, near, far);
  let over = false;
  session.closed.then(() => over = true);
  const from = proxy.carried;
  const started = performance.now();
  while (performance.now() - started < 1_500) {
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  assert.equal(over, false);
  assert.ok(proxy.carried > from, "keepalives crossed the proxy");
  const stream = await session.openStream();
  await stream.write(Uint8Array.of(1));
  assert.deepEqual(await (await accepted.acceptStream())?.read(), Uint8Array.of(1));
});

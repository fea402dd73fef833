import assert from "node:assert/strict";
import { createTestCa } from "../../identity/testing.ts";
import { within } from "../compliance/suite_support.ts";
import { DialError, LinkRefusedError } from "../errors.ts";
import { SessionCloseCode } from "../types.ts";
import { member, TestPolicy } from "./testing.ts";
import { listenWebSocket } from "./websocket_listener.ts";
import { WebSocketTransport } from "./websocket_transport.ts";

const never = () => new AbortController().signal;

/** A listener and a dialler of one network; sessions are closed with it. */
async function mesh(host = "127.0.0.1") {
  const ca = await createTestCa();
  const [near, far] = [await member(ca), await member(ca)];
  const listener = await listenWebSocket({ host, port: 0, policy: far });
  const transport = new WebSocketTransport({ policy: near });
  return {
    ca,
    near,
    far,
    listener,
    transport,
    async [Symbol.asyncDispose]() {
      await transport[Symbol.asyncDispose]();
      await listener[Symbol.asyncDispose]();
    },
  };
}

Deno.test("a dialler that knows only the address learns who is there, in one connection", async () => {
  await using m = await mesh();
  const dial = m.transport.dial(m.listener.address, { signal: never() });
  await using session = await within(dial, "dial");
  await using accepted = await within(m.listener.accept(), "accept");
  assert.equal(session.peer.id, m.far.current.certificate.id);
  assert.equal(accepted?.peer.id, m.near.current.certificate.id);
});

Deno.test("IPv6 works, and addresses are shown with brackets", async () => {
  await using m = await mesh("::1");
  await using session = await within(
    m.transport.dial(m.listener.address, { signal: never() }),
    "dial",
  );
  await using accepted = await within(m.listener.accept(), "accept");
  assert.equal(session.remoteAddress, `[::1]:${m.listener.address.port}`);
  assert.match(accepted?.remoteAddress ?? "", /^\[::1\]:\d+$/);
});

Deno.test("an accepted session no longer counts as unauthenticated, whatever address family it came by", async () => {
  for (const [listen, dial] of [["::", "127.0.0.1"], ["::", "::1"], ["0.0.0.0", "127.0.0.1"]]) {
    await using m = await mesh(listen);
    const target = { host: dial ?? "", port: m.listener.address.port };
    await using session = await within(m.transport.dial(target, { signal: never() }), "dial");
    await using accepted = await within(m.listener.accept(), "accept");
    assert.equal(m.listener.stats.unauthenticated, 0, `${listen} ${accepted?.remoteAddress}`);
    assert.equal(session.peer.id, m.far.current.certificate.id);
  }
});

Deno.test("a dial for another node than the one that answers fails", async () => {
  await using m = await mesh();
  const other = await m.ca.issue();
  await assert.rejects(
    m.transport.dial({ ...m.listener.address, expect: other.certificate.id }, { signal: never() }),
    (error: unknown) => error instanceof DialError || error instanceof LinkRefusedError,
  );
});

Deno.test("a dialler refuses listeners that are not nodes of its network", async () => {
  const ca = await createTestCa();
  const dialler = await member(ca);
  await using transport = new WebSocketTransport({ policy: dialler });
  const { forge } = ca;
  const rogues = {
    leafSignedByLeaf: await forge.leafSignedByLeaf(),
    leafClaimingCa: await forge.leafClaimingCa(),
    foreignCa: await forge.foreignCa(),
    expired: await forge.expired(),
    notYetValid: await forge.notYetValid(),
    clientOnly: await forge.clientOnly(),
    wrongId: await forge.wrongId(),
    otherNetwork: await forge.otherNetwork(),
    noSan: await forge.noSan(),
    leafWithCaFlag: await forge.leafWithCaFlag(),
  };
  for (const [name, credentials] of Object.entries(rogues)) {
    await using listener = await listenWebSocket({
      host: "127.0.0.1",
      port: 0,
      policy: new TestPolicy(credentials.certificate.network, credentials),
    });
    for (const expect of [undefined, credentials.certificate.id]) {
      const target = { ...listener.address, ...(expect === undefined ? {} : { expect }) };
      await assert.rejects(
        within(transport.dial(target, { signal: never() }), name),
        (error: unknown) => error instanceof DialError || error instanceof LinkRefusedError,
        name,
      );
    }
  }
});

Deno.test("a refusal by either end's policy reaches both with its reason", async () => {
  await using m = await mesh();
  const revoked = () => {
    throw new LinkRefusedError("the certificate was revoked", SessionCloseCode.revoked);
  };
  const isRevoked = (error: unknown) => {
    assert.ok(error instanceof LinkRefusedError, String(error));
    assert.equal(error.closeCode, SessionCloseCode.revoked);
    assert.match(error.message, /revoked/);
    return true;
  };
  m.far.admit = revoked;
  await assert.rejects(m.transport.dial(m.listener.address, { signal: never() }), isRevoked);
  m.far.admit = () => {};
  m.near.admit = revoked;
  await assert.rejects(m.transport.dial(m.listener.address, { signal: never() }), isRevoked);
  m.near.admit = () => {};
  await using session = await m.transport.dial(m.listener.address, { signal: never() });
  await using accepted = await m.listener.accept();
  assert.equal(accepted?.peer.id, m.near.current.certificate.id);
  assert.equal(session.peer.id, m.far.current.certificate.id);
});

Deno.test("a node that dials itself is told so", async () => {
  await using m = await mesh();
  await using own = new WebSocketTransport({ policy: m.far });
  await assert.rejects(own.dial(m.listener.address, { signal: never() }), (error: unknown) => {
    assert.ok(error instanceof LinkRefusedError, String(error));
    assert.equal(error.closeCode, SessionCloseCode.self);
    return true;
  });
});

Deno.test("nobody listening is a DialError with its cause", async () => {
  const ca = await createTestCa();
  await using transport = new WebSocketTransport({ policy: await member(ca) });
  const probe = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = probe.addr;
  probe.close();
  await assert.rejects(
    transport.dial({ host: "127.0.0.1", port }, { signal: never() }),
    (error: unknown) => error instanceof DialError && error.cause !== undefined,
  );
});

Deno.test("a server that accepts and says nothing costs the handshake's time limit, an abort ends it sooner", async () => {
  const ca = await createTestCa();
  using silent = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const held: Deno.TcpConn[] = [];
  const accepting = (async () => {
    for (let i = 0; i < 3; i++) held.push(await silent.accept());
  })();
  const target = { host: "127.0.0.1", port: silent.addr.port };
  const policy = await member(ca);
  {
    await using transport = new WebSocketTransport({ policy, limits: { handshakeTimeoutMs: 100 } });
    await assert.rejects(transport.dial(target, { signal: never() }), /within 100 ms/);
  }
  const controller = new AbortController();
  const transport = new WebSocketTransport({ policy });
  const reason = new Error("no longer wanted");
  const aborted = assert.rejects(
    transport.dial(target, { signal: controller.signal }),
    (error: unknown) => error === reason,
  );
  controller.abort(reason);
  await aborted;
  const disposed = assert.rejects(transport.dial(target, { signal: never() }), /closed/);
  await transport[Symbol.asyncDispose]();
  await disposed;
  await assert.rejects(transport.dial(target, { signal: never() }), DialError);
  silent.close();
  await accepting.catch(() => {});
  for (const conn of held) conn.close();
});

Deno.test("renewed credentials are shown to new connections, by themselves, and old sessions live on", async () => {
  await using m = await mesh();
  const dial = () => m.transport.dial(m.listener.address, { signal: never() });
  await using first = await dial();
  await using firstFar = await m.listener.accept();
  const renewed = await m.ca.issue({ key: m.far.current.key });
  assert.notEqual(renewed.certificate.serial, m.far.current.certificate.serial);
  assert.equal(first.peer.serial, m.far.current.certificate.serial);
  m.far.current = renewed;
  await using second = await dial();
  await using secondFar = await m.listener.accept();
  assert.equal(second.peer.serial, renewed.certificate.serial);
  const again = await m.ca.issue({ key: m.far.current.key });
  m.far.current = again;
  await m.listener.refreshCredentials();
  m.near.current = await m.ca.issue({ key: m.near.current.key });
  await using third = await dial();
  await using thirdFar = await m.listener.accept();
  assert.equal(third.peer.serial, again.certificate.serial);
  assert.equal(thirdFar?.peer.serial, m.near.current.certificate.serial);
  const stream = await first.openStream();
  await stream.write(Uint8Array.of(5));
  const accepted = await firstFar?.acceptStream();
  assert.deepEqual(await accepted?.read(), Uint8Array.of(5));
  assert.ok(secondFar !== null);
});

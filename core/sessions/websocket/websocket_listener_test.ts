import assert from "node:assert/strict";
import fc from "fast-check";
import { createTestCa } from "../../identity/testing.ts";
import { within } from "../compliance/suite_support.ts";
import { LinkRefusedError } from "../errors.ts";
import { SessionCloseCode, type SessionLimits } from "../types.ts";
import { closeOf, rawRelay, rawTls, readAll, upgradeRequest } from "./raw_client.ts";
import { member, TestPolicy } from "./testing.ts";
import { listenWebSocket } from "./websocket_listener.ts";
import { WebSocketTransport } from "./websocket_transport.ts";

const never = () => new AbortController().signal;

async function lab(limits: Partial<SessionLimits> = {}) {
  const ca = await createTestCa();
  const [near, far] = [await member(ca), await member(ca)];
  const listener = await listenWebSocket({ host: "127.0.0.1", port: 0, policy: far, limits });
  const transport = new WebSocketTransport({ policy: near });
  return {
    ca,
    near,
    far,
    listener,
    transport,
    /** The listener still serves honest members, and only they were ever accepted. */
    async stillServes() {
      const [session, accepted] = await within(
        Promise.all([
          transport.dial(listener.address, { signal: never() }),
          listener.accept(),
        ]),
        "an honest dial",
      );
      assert.equal(accepted?.peer.id, near.current.certificate.id);
      await Promise.all([session.close(), accepted?.close()]);
    },
    async [Symbol.asyncDispose]() {
      await transport[Symbol.asyncDispose]();
      await listener[Symbol.asyncDispose]();
    },
  };
}

Deno.test("whoever is not a node of the network gets 403 with a code, and no session", async () => {
  await using l = await lab();
  const { forge, anchor } = l.ca;
  const strangers = {
    CERT_ISSUER: await forge.leafSignedByLeaf(),
    CERT_SIGNATURE: await forge.leafClaimingCa(),
    "CERT_SIGNATURE ": { ...await forge.foreignCa(), anchor },
    CERT_EXPIRED: await forge.expired(),
    CERT_NOT_YET_VALID: await forge.notYetValid(),
    CERT_NAME: await forge.wrongId(),
    CERT_NETWORK: await forge.otherNetwork(),
    CERT_NO_SAN: await forge.noSan(),
    CERT_CA_FLAG: await forge.leafWithCaFlag(),
  };
  for (const [code, credentials] of Object.entries(strangers)) {
    await using transport = new WebSocketTransport({
      policy: new TestPolicy(l.ca.network, credentials),
    });
    await assert.rejects(
      within(transport.dial(l.listener.address, { signal: never() }), code),
      (error: unknown) => {
        assert.ok(error instanceof LinkRefusedError, `${code}: ${error}`);
        assert.equal(error.closeCode, SessionCloseCode.unauthenticated);
        assert.equal(error.fields["reason"], code.trim());
        return true;
      },
    );
  }
  assert.equal(l.listener.stats.refused, Object.keys(strangers).length);
  await l.stillServes();
});

Deno.test("a self-signed certificate in a member's name gains nothing", async () => {
  await using l = await lab();
  const own = await createTestCa(l.ca.network);
  const victim = l.near.current.certificate;
  const forged = await own.issue({ id: victim.id });
  const thief = new TestPolicy(l.ca.network, { ...forged, anchor: l.ca.anchor });
  const socket = await rawTls(l.listener.address, thief);
  const answer = readAll(socket);
  socket.write(upgradeRequest("/relay"));
  assert.match(await answer, /^HTTP\/1.1 403 /);
  await l.stillServes();
});

Deno.test("without a certificate /relay is 403, and everything else is 404", async () => {
  await using l = await lab();
  const ask = async (request: string) => {
    const socket = await rawTls(l.listener.address);
    const answer = readAll(socket);
    socket.write(request);
    return (await answer).split("\r\n")[0];
  };
  assert.equal(await ask(upgradeRequest("/relay")), "HTTP/1.1 403 Forbidden");
  for (const path of ["/", "/join", "/relay/", "/relay?x", "//relay", "/%72elay"]) {
    assert.equal(await ask(upgradeRequest(path)), "HTTP/1.1 404 Not Found", path);
  }
  for (const path of ["/", "/relay", "/join"]) {
    assert.equal(
      await ask(`GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`),
      "HTTP/1.1 404 Not Found",
      path,
    );
  }
});

Deno.test("a request from a web page is refused, member or not", async () => {
  await using l = await lab();
  const socket = await rawTls(l.listener.address, l.near);
  const answer = readAll(socket);
  socket.write(upgradeRequest("/relay", "Origin: https://example.com\r\n"));
  assert.match(await answer, /^HTTP\/1.1 403 /);
});

Deno.test("a member that breaks the rules of the wire is cut off", async () => {
  await using l = await lab();
  const frames = (...bytes: number[]) => Uint8Array.from(bytes);
  const offences: Record<string, Uint8Array | string> = {
    text: "hello",
    "an unknown kind of message": frames(2, 0, 0, 0),
    "half a frame": frames(0, 2, 0, 1, 0, 0),
    "an unknown frame type": frames(0, 9, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0),
    "more than a hello before it was welcome": new Uint8Array(70_000).fill(1),
    "a message beyond 1 MiB": new Uint8Array(1024 * 1024 + 1),
    "an empty message": new Uint8Array(0),
  };
  for (const [name, offence] of Object.entries(offences)) {
    const socket = await rawRelay(l.listener.address, l.near);
    const closed = closeOf(socket);
    if (typeof offence === "string") {
      socket.send(new TextEncoder().encode(offence), { binary: false });
    } else socket.send(offence, { binary: true });
    const { code } = await closed;
    assert.ok(
      [1006, 1009, 4000 + SessionCloseCode.protocolError].includes(code),
      `${name}: ${code}`,
    );
  }
  assert.equal(l.listener.stats.failedHandshakes, Object.keys(offences).length);
  await l.stillServes();
});

Deno.test("a member that does not say hello is gone after the handshake's time limit", async () => {
  await using l = await lab({ handshakeTimeoutMs: 1_000 });
  const socket = await rawRelay(l.listener.address, l.near);
  const { code } = await closeOf(socket);
  assert.equal(code, 1006);
  assert.equal(l.listener.stats.turnedAway, 1);
  assert.equal(l.listener.stats.unauthenticated, 0);
});

Deno.test("who dribbles bytes, in TCP, TLS or HTTP, is gone after the same limit", async () => {
  await using l = await lab({ handshakeTimeoutMs: 1_000 });
  const tcp = await Deno.connect({ hostname: "127.0.0.1", port: l.listener.address.port });
  await tcp.write(Uint8Array.of(0x16));
  const dribbling = await rawTls(l.listener.address, l.near);
  const text = upgradeRequest("/relay", "X-Filler: " + "y".repeat(4000) + "\r\n");
  let at = 0;
  const drip = setInterval(() => dribbling.write(text[at++] ?? ""), 5);
  const end = (async () => {
    while (await tcp.read(new Uint8Array(64)) !== null);
  })();
  await within(Promise.allSettled([readAll(dribbling), end]), "both ended");
  clearInterval(drip);
  tcp.close();
  assert.equal(l.listener.stats.turnedAway, 2);
});

Deno.test("an upgrade that arrives byte by byte, but in time, is served", async () => {
  await using l = await lab();
  const socket = await rawTls(l.listener.address, l.near);
  const { promise, resolve } = Promise.withResolvers<string>();
  let answer = "";
  socket.on("data", (chunk: Uint8Array) => {
    answer += new TextDecoder().decode(chunk);
    if (answer.includes("\r\n\r\n")) resolve(answer);
  });
  for (const byte of upgradeRequest("/relay")) {
    await new Promise((done) => socket.write(byte, done));
  }
  assert.match(await within(promise, "answer"), /^HTTP\/1.1 101 /);
  socket.destroy();
});

Deno.test("beyond maxUnauthenticated the oldest goes, so honest members still come in", async () => {
  await using l = await lab({ maxUnauthenticated: 4 });
  const idle: Deno.TcpConn[] = [];
  for (let i = 0; i < 20; i++) {
    idle.push(await Deno.connect({ hostname: "127.0.0.1", port: l.listener.address.port }));
  }
  await l.stillServes();
  assert.ok(l.listener.stats.turnedAway >= 16, `${l.listener.stats.turnedAway} turned away`);
  assert.ok(l.listener.stats.unauthenticated <= 4);
  for (const conn of idle) conn.close();
});

Deno.test("random bytes, on TCP and inside TLS, do no harm", async () => {
  await using l = await lab({ handshakeTimeoutMs: 2_000 });
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ minLength: 1, maxLength: 300 }), async (bytes) => {
      const conn = await Deno.connect({ hostname: "127.0.0.1", port: l.listener.address.port });
      await conn.write(bytes);
      conn.close();
      const socket = await rawTls(l.listener.address, l.near);
      await new Promise((done) => socket.write(bytes, done));
      socket.destroy();
      const relay = await rawRelay(l.listener.address, l.near);
      relay.send(bytes, { binary: true });
      relay.terminate();
    }),
    { numRuns: 20 },
  );
  await l.stillServes();
});

Deno.test("oversized headers are refused", async () => {
  await using l = await lab();
  const socket = await rawTls(l.listener.address, l.near);
  const answer = readAll(socket);
  socket.write(upgradeRequest("/relay", `X-Filler: ${"y".repeat(100_000)}\r\n`));
  assert.doesNotMatch(await answer, / 101 /);
  await l.stillServes();
});

Deno.test("closing the listener ends handshakes and waiting sessions, not those that were accepted", async () => {
  const l = await lab();
  const first = await l.transport.dial(l.listener.address, { signal: never() });
  const accepted = await within(l.listener.accept(), "accept");
  assert.ok(accepted !== null);
  const waiting = await l.transport.dial(l.listener.address, { signal: never() });
  const halfWay = closeOf(await rawRelay(l.listener.address, l.near));
  await l[Symbol.asyncDispose]();
  assert.equal((await within(waiting.closed, "closed")).code, SessionCloseCode.shuttingDown);
  await halfWay;
  assert.equal(await l.listener.accept(), null);
  const stream = await first.openStream();
  await stream.write(Uint8Array.of(1));
  assert.ok(await within(accepted.acceptStream(), "stream") !== null);
  await first.close();
  await within(accepted.closed, "closed");
});

Deno.test("an address in use is an error that names it", async () => {
  await using l = await lab();
  await assert.rejects(
    listenWebSocket({ ...l.listener.address, policy: l.far }),
    { code: "SESSION_LISTEN" },
  );
});

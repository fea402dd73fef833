import assert from "node:assert/strict";
import type { TestCa } from "../../identity/testing.ts";
import { DialError, LinkRefusedError } from "../errors.ts";
import { SessionCloseCode } from "../types.ts";
import { strangerConnection, testCa, type TestNode, testNode, until } from "./testing.ts";

const patient = { signal: new AbortController().signal };
const endpointOptions = { hostname: "127.0.0.1", port: 0 };

/** Runs an attack and asserts that the node served nobody and holds nothing afterwards. */
async function against(
  node: TestNode,
  attack: (endpoint: Deno.QuicEndpoint) => Promise<void>,
): Promise<void> {
  const endpoint = new Deno.QuicEndpoint(endpointOptions);
  let served = false;
  const accepting = node.transport.accept().then((session) => served ||= session !== null);
  try {
    await attack(endpoint);
    await until("strangers are forgotten", () => node.transport.stats.unauthenticated === 0);
    assert.equal(served, false, "a stranger got a session");
  } finally {
    endpoint.close();
    await node.transport.close();
    await accepting;
  }
}

Deno.test("a client that opens QUIC and says nothing is closed when its time is up", async () => {
  const node = await testNode({ limits: { handshakeTimeoutMs: 200 } });
  await against(node, async (endpoint) => {
    const info = await (await strangerConnection(node, endpoint)).closed;
    assert.equal(info.closeCode, SessionCloseCode.unauthenticated);
    assert.match(info.reason, /too long/);
  });
});

Deno.test("garbage on the first stream closes the connection with a code", async () => {
  const node = await testNode();
  await against(node, async (endpoint) => {
    const connection = await strangerConnection(node, endpoint);
    const stream = await connection.createBidirectionalStream();
    const writer = stream.writable.getWriter();
    const writing = writer.write(crypto.getRandomValues(new Uint8Array(5_000)));
    const info = await connection.closed;
    assert.equal(info.closeCode, SessionCloseCode.unauthenticated);
    await Promise.allSettled([writing]);
  });
});

Deno.test("a client that sends one byte at a time gets no more time than others", async () => {
  const node = await testNode({ limits: { handshakeTimeoutMs: 300 } });
  await against(node, async (endpoint) => {
    const connection = await strangerConnection(node, endpoint);
    const stream = await connection.createBidirectionalStream();
    const writer = stream.writable.getWriter();
    // The start of a TLS record that promises 16 KiB, and then slowly what could be in it.
    const drip = (async () => {
      for (const byte of [0x16, 3, 1, 0x40, 0, 1, 0, 0x3f, 0xfc, 3, 3]) {
        await writer.write(Uint8Array.of(byte));
      }
      for (;;) {
        await writer.write(Uint8Array.of(0));
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
    })().catch(() => {});
    const info = await connection.closed;
    assert.equal(info.closeCode, SessionCloseCode.unauthenticated);
    await drip;
  });
});

Deno.test("a stream beside the unfinished handshake ends the connection at once", async () => {
  const node = await testNode();
  await against(node, async (endpoint) => {
    const connection = await strangerConnection(node, endpoint);
    const writings: Promise<void>[] = [];
    for (let i = 0; i < 3; i++) {
      const stream = await connection.createBidirectionalStream();
      writings.push(stream.writable.getWriter().write(Uint8Array.of(0x16)));
    }
    const info = await connection.closed;
    assert.equal(info.closeCode, SessionCloseCode.protocolError);
    await Promise.allSettled(writings);
  });
});

Deno.test("a stranger's datagrams go nowhere and are not kept", async () => {
  const node = await testNode({ limits: { handshakeTimeoutMs: 300 } });
  await against(node, async (endpoint) => {
    const connection = await strangerConnection(node, endpoint);
    let answered = false;
    const answer = connection.readDatagram().then(() => answered = true, () => {});
    for (let i = 0; i < 500; i++) {
      await connection.sendDatagram(new Uint8Array(1_000)).catch(() => {});
    }
    await connection.closed;
    await answer;
    assert.equal(answered, false);
  });
});

Deno.test("beyond the limit of unproven connections new ones are turned away, members come in after", async () => {
  const node = await testNode({ limits: { maxUnauthenticated: 3, handshakeTimeoutMs: 500 } });
  await using member = await testNode();
  const endpoint = new Deno.QuicEndpoint(endpointOptions);
  const idle = await Promise.all([1, 2, 3].map(() => strangerConnection(node, endpoint)));
  await until("three strangers", () => node.transport.stats.unauthenticated === 3);
  await assert.rejects(strangerConnection(node, endpoint));
  assert.equal(node.transport.stats.turnedAway, 1);
  await Promise.all(idle.map((connection) => connection.closed));
  await until("room again", () => node.transport.stats.unauthenticated === 0);
  const accepting = node.transport.accept();
  const session = await member.transport.dial(
    { ...node.transport.address, expect: node.id },
    patient,
  );
  assert.equal((await accepting)?.peer.id, member.id);
  assert.equal(session.peer.id, node.id);
  endpoint.close();
  await member.transport.close();
  await node.transport.close();
});

const forgeries: readonly (keyof TestCa["forge"])[] = [
  "leafSignedByLeaf",
  "leafClaimingCa",
  "foreignCa",
  "expired",
  "notYetValid",
  "clientOnly",
  "wrongId",
  "otherNetwork",
  "noSan",
  "caAsLeaf",
  "leafWithCaFlag",
];

for (const forgery of forgeries) {
  Deno.test(`a dialler with a forged certificate (${forgery}) is refused`, async () => {
    const ca = await testCa();
    const forged = await ca.forge[forgery]();
    const node = await testNode();
    await using dialler = await testNode({ credentials: { ...forged, anchor: ca.anchor } });
    await against(node, async () => {
      await assert.rejects(
        dialler.transport.dial({ ...node.transport.address, expect: node.id }, patient),
        (error: unknown) => {
          assert.ok(error instanceof LinkRefusedError || error instanceof DialError, `${error}`);
          return true;
        },
      );
      await until("the refusal is counted", () => node.transport.stats.refused === 1);
    });
  });

  Deno.test(`an acceptor with a forged certificate (${forgery}) is refused`, async () => {
    const ca = await testCa();
    const forged = await ca.forge[forgery]();
    await using dialler = await testNode();
    const node = await testNode({ credentials: { ...forged, anchor: ca.anchor } });
    await against(node, async () => {
      for (const expect of [node.id, undefined]) {
        await assert.rejects(
          dialler.transport.dial(
            { ...node.transport.address, ...(expect === undefined ? {} : { expect }) },
            patient,
          ),
          (error: unknown) => {
            assert.ok(error instanceof LinkRefusedError || error instanceof DialError, `${error}`);
            return true;
          },
        );
      }
    });
  });
}

Deno.test("an expired dialler is told that its certificate expired", async () => {
  const node = await testNode();
  await using dialler = await testNode({ credentials: await (await testCa()).forge.expired() });
  await against(node, async () => {
    await assert.rejects(
      dialler.transport.dial({ ...node.transport.address, expect: node.id }, patient),
      (error: unknown) => {
        assert.ok(error instanceof LinkRefusedError, `${error}`);
        assert.equal(error.closeCode, SessionCloseCode.unauthenticated);
        assert.match(error.message, /expired/);
        return true;
      },
    );
  });
});

Deno.test("a revoked node is refused in either role and hears the reason", async () => {
  const refuse = () => {
    throw new LinkRefusedError("It was revoked", SessionCloseCode.revoked);
  };
  await using plain = await testNode();
  const strict = await testNode({ admit: refuse });
  const revoked = (error: unknown) => {
    assert.ok(error instanceof LinkRefusedError, `${error}`);
    assert.equal(error.closeCode, SessionCloseCode.revoked);
    assert.match(error.message, /was revoked/);
    return true;
  };
  await against(strict, async () => {
    for (let attempt = 0; attempt < 2; attempt++) {
      await assert.rejects(
        plain.transport.dial({ ...strict.transport.address, expect: strict.id }, patient),
        revoked,
      );
    }
    await assert.rejects(
      strict.transport.dial({ ...plain.transport.address, expect: plain.id }, patient),
      revoked,
    );
  });
});

Deno.test("a node that dials itself is refused, with its own id known or not", async () => {
  const node = await testNode();
  await against(node, async () => {
    for (const expect of [{ expect: node.id }, {}]) {
      await assert.rejects(
        node.transport.dial({ ...node.transport.address, ...expect }, patient),
        (error: unknown) => {
          assert.ok(error instanceof LinkRefusedError, `${error}`);
          assert.equal(error.closeCode, SessionCloseCode.self);
          return true;
        },
      );
    }
  });
});

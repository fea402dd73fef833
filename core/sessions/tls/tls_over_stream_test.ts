import assert from "node:assert/strict";
import fc from "fast-check";
import { createTestCa, type TestCa } from "../../identity/testing.ts";
import type { Credentials } from "../../identity/mod.ts";
import { StreamResetError } from "../errors.ts";
import type { ByteStream } from "../types.ts";
import { memoryStreamPair } from "./testing.ts";
import {
  tlsAccept,
  tlsConnect,
  TlsHandshakeError,
  type TlsOptions,
  type TlsStream,
} from "./mod.ts";

const ca = await createTestCa("lab");

function options(credentials: Credentials, more: Partial<TlsOptions> = {}): TlsOptions {
  return {
    credentials,
    network: "lab",
    now: Date.now(),
    signal: new AbortController().signal,
    ...more,
  };
}

interface Ends extends AsyncDisposable {
  client: TlsStream;
  server: TlsStream;
  inner: [ByteStream, ByteStream];
}

async function connected(): Promise<Ends> {
  const inner = memoryStreamPair();
  const [a, b] = [await ca.issue(), await ca.issue()];
  const [client, server] = await Promise.all([
    tlsConnect(inner[0], options(a, { expect: b.certificate.id })),
    tlsAccept(inner[1], options(b)),
  ]);
  assert.equal(client.peer.id, b.certificate.id);
  assert.equal(server.peer.id, a.certificate.id);
  return {
    client,
    server,
    inner,
    async [Symbol.asyncDispose]() {
      client.reset();
      server.reset();
      await Promise.all([client.closed, server.closed]);
    },
  };
}

async function readAll(stream: ByteStream): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  for (;;) {
    const chunk = await stream.read();
    if (chunk === null) return new Uint8Array(await new Blob(parts as BlobPart[]).arrayBuffer());
    assert.ok(chunk.length > 0);
    parts.push(chunk.slice());
  }
}

/** Both ends' outcome of a handshake that must not succeed on the server. */
async function refused(
  client: Credentials,
  server: Credentials,
  more: { client?: Partial<TlsOptions>; server?: Partial<TlsOptions> } = {},
): Promise<{ client: unknown; server: unknown }> {
  const [x, y] = memoryStreamPair();
  const outcome = (ending: Promise<TlsStream>) =>
    ending.then(async (stream) => {
      // The client may be done before the server has judged it: it must get nothing then.
      const got = await stream.read().catch((error: unknown) => error);
      stream.reset();
      await stream.closed;
      return got;
    }, (error: unknown) => error);
  const [c, s] = await Promise.all([
    outcome(tlsConnect(x, options(client, more.client))),
    outcome(tlsAccept(y, options(server, more.server))),
  ]);
  return { client: c, server: s };
}

Deno.test("bytes arrive unchanged both ways, also over a stream that overwrites what it lent", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.uint8Array({ minLength: 0, maxLength: 70_000 }), { maxLength: 8 }),
      async (chunks) => {
        await using ends = await connected();
        const send = async (stream: ByteStream) => {
          for (const chunk of chunks) await stream.write(chunk);
          await stream.closeWrite();
        };
        const expected = new Uint8Array(await new Blob(chunks as BlobPart[]).arrayBuffer());
        const [there, back] = await Promise.all([
          readAll(ends.server),
          readAll(ends.client),
          send(ends.client),
          send(ends.server),
        ]);
        assert.deepEqual(there, expected);
        assert.deepEqual(back, expected);
        await Promise.all([ends.client.closed, ends.server.closed]);
      },
    ),
    { numRuns: 25 },
  );
});

Deno.test("a write of several megabytes crosses in bounded frames", async () => {
  await using ends = await connected();
  const data = crypto.getRandomValues(new Uint8Array(65_536));
  const big = new Uint8Array(3_000_001);
  for (let at = 0; at < big.length; at += data.length) {
    big.set(data.subarray(0, big.length - at), at);
  }
  const reading = readAll(ends.server);
  await ends.client.write(big);
  await ends.client.closeWrite();
  assert.deepEqual(await reading, big);
});

Deno.test("half-close: the peer reads to the end and still answers", async () => {
  await using ends = await connected();
  await ends.client.write(new Uint8Array([1, 2, 3]));
  await ends.client.closeWrite();
  await ends.client.closeWrite();
  assert.deepEqual(await readAll(ends.server), new Uint8Array([1, 2, 3]));
  assert.equal(await ends.server.read(), null);
  await ends.server.write(new Uint8Array([4]));
  await ends.server.closeWrite();
  assert.deepEqual(await readAll(ends.client), new Uint8Array([4]));
  await Promise.all([ends.client.closed, ends.server.closed]);
  await Promise.all([ends.inner[0].closed, ends.inner[1].closed]);
});

Deno.test("writing after closeWrite() is refused", async () => {
  await using ends = await connected();
  const draining = readAll(ends.server);
  await ends.client.closeWrite();
  await assert.rejects(ends.client.write(new Uint8Array(1)), StreamResetError);
  assert.equal((await draining).length, 0);
});

Deno.test("a stream that ends cleanly below TLS without the end frame is a reset, not an end", async () => {
  await using ends = await connected();
  await ends.client.write(new Uint8Array([7]));
  assert.equal((await ends.server.read())?.[0], 7);
  // What a relay can do: end the carrying stream in good order.
  await ends.inner[0].closeWrite();
  await assert.rejects(ends.server.read(), StreamResetError);
});

Deno.test("a reset below TLS reaches the reader with its code", async () => {
  await using ends = await connected();
  const reading = ends.server.read();
  ends.inner[0].reset(42);
  await assert.rejects(reading, (error: unknown) => {
    assert.ok(error instanceof StreamResetError);
    assert.equal(error.resetCode, 42);
    return true;
  });
  await assert.rejects(ends.server.write(new Uint8Array(10)), StreamResetError);
  await assert.rejects(ends.server.closeWrite(), StreamResetError);
});

Deno.test("reset() ends pending reads and writes on both ends", async () => {
  await using ends = await connected();
  const reading = ends.server.read();
  const stuck = ends.client.write(new Uint8Array(5_000_000));
  const readingHere = ends.client.read();
  const all = Promise.allSettled([reading.then(() => ends.server.read()), stuck, readingHere]);
  ends.client.reset(5);
  ends.client.reset(6);
  for (const result of await all) {
    if (result.status === "fulfilled") continue;
    assert.ok(result.reason instanceof StreamResetError, String(result.reason));
    assert.equal(result.reason.resetCode, 5);
  }
  assert.equal((await all)[1]?.status, "rejected");
  assert.equal((await all)[2]?.status, "rejected");
  await Promise.all([ends.client.closed, ends.server.closed]);
});

Deno.test("what nobody reads stops the writer after a bounded number of bytes", async () => {
  await using ends = await connected();
  let written = 0;
  const writing = (async () => {
    const chunk = new Uint8Array(64 * 1024);
    for (;;) {
      await ends.client.write(chunk);
      written += chunk.length;
    }
  })().catch((error: unknown) => error);
  let before = -1;
  // Turns of the event loop, not time: the writer has stopped when many turns change nothing.
  while (before !== written) {
    before = written;
    for (let turn = 0; turn < 200; turn++) await new Promise((resolve) => setImmediate(resolve));
  }
  assert.ok(written <= 2 * 1024 * 1024, `${written} bytes were taken unread`);
  ends.client.reset();
  assert.ok(await writing instanceof StreamResetError);
});

Deno.test("ciphertext changed on the way is a reset", async () => {
  const [x, near] = memoryStreamPair();
  const [far, y] = memoryStreamPair();
  let spoil = false;
  const carry = async (from: ByteStream, to: ByteStream) => {
    try {
      for (;;) {
        const chunk = await from.read();
        if (chunk === null) return await to.closeWrite();
        const copy = chunk.slice();
        if (spoil) copy[copy.length - 1] = (copy[copy.length - 1] as number) ^ 1;
        await to.write(copy);
      }
    } catch {
      // The test resets the ends; the carrier just stops.
      from.reset();
      to.reset();
    }
  };
  const carriers = [carry(near, far), carry(far, near)];
  const [client, server] = await Promise.all([
    tlsConnect(x, options(await ca.issue())),
    tlsAccept(y, options(await ca.issue())),
  ]);
  spoil = true;
  const reading = server.read();
  await Promise.allSettled([client.write(new Uint8Array(100))]);
  await assert.rejects(reading, StreamResetError);
  client.reset();
  await Promise.all([client.closed, server.closed, ...carriers]);
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
  Deno.test(`a client with a forged certificate (${forgery}) is refused`, async () => {
    const good = await ca.issue();
    const forged = await ca.forge[forgery]();
    // Its own anchor is what a foreign CA's node believes in; here it wants to get in, so it believes ours.
    const got = await refused({ ...forged, anchor: ca.anchor }, good);
    assert.ok(got.server instanceof TlsHandshakeError, String(got.server));
    assert.ok(got.client instanceof Error, "the client got nothing");
  });

  Deno.test(`a server with a forged certificate (${forgery}) is refused`, async () => {
    const good = await ca.issue();
    const forged = await ca.forge[forgery]();
    const got = await refused(good, { ...forged, anchor: ca.anchor });
    assert.ok(got.client instanceof TlsHandshakeError, String(got.client));
    assert.ok(got.server instanceof Error, "the server got nothing");
  });
}

Deno.test("the refusal of a client names what is wrong with its certificate", async () => {
  const expired = await ca.forge.expired();
  const got = await refused(expired, await ca.issue());
  assert.ok(got.server instanceof TlsHandshakeError);
  assert.match(got.server.message, /expired/);
});

Deno.test("a client that expects another node refuses the server", async () => {
  const got = await refused(await ca.issue(), await ca.issue(), {
    client: { expect: (await ca.issue()).certificate.id },
  });
  assert.ok(got.client instanceof TlsHandshakeError, String(got.client));
});

Deno.test("a server that expects another node refuses the client", async () => {
  const got = await refused(await ca.issue(), await ca.issue(), {
    server: { expect: (await ca.issue()).certificate.id },
  });
  assert.ok(got.server instanceof TlsHandshakeError, String(got.server));
});

Deno.test("end-to-end TLS is not accepted as a link handshake, nor the reverse", async () => {
  for (const purpose of ["link", "end-to-end"] as const) {
    const other = purpose === "link" ? "end-to-end" : "link";
    const got = await refused(await ca.issue(), await ca.issue(), {
      client: { purpose },
      server: { purpose: other },
    });
    assert.ok(got.server instanceof TlsHandshakeError, String(got.server));
    assert.ok(got.client instanceof Error, String(got.client));
  }
});

Deno.test("garbage instead of TLS fails on both roles and resets the stream", async () => {
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ minLength: 5, maxLength: 300 }), async (garbage) => {
      for (const start of [tlsAccept, tlsConnect]) {
        const [x, y] = memoryStreamPair();
        const signal = AbortSignal.timeout(60_000);
        const handshake = start(x, options(await ca.issue(), { signal }));
        const outcome = handshake.then(() => null, (error: unknown) => error);
        await Promise.allSettled([y.write(garbage)]);
        await y.closeWrite();
        const reading = (async () => {
          while (await y.read() !== null);
        })().catch((error: unknown) => error);
        assert.ok(await outcome instanceof Error);
        assert.ok(await reading instanceof StreamResetError);
      }
    }),
    { numRuns: 30 },
  );
});

Deno.test("an aborted signal ends the handshake and resets the stream", async () => {
  for (const start of [tlsAccept, tlsConnect]) {
    const [x, y] = memoryStreamPair();
    const controller = new AbortController();
    const handshake = start(x, options(await ca.issue(), { signal: controller.signal }));
    const reason = new Error("enough");
    controller.abort(reason);
    await assert.rejects(handshake, reason);
    await assert.rejects(y.read().then(() => y.read()), StreamResetError);
    const again = memoryStreamPair();
    await assert.rejects(
      start(again[0], options(await ca.issue(), { signal: controller.signal })),
      reason,
    );
    await assert.rejects(again[1].read(), StreamResetError);
  }
});

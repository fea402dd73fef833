import assert from "node:assert/strict";
import { encode } from "@msgpack/msgpack";
import fc from "fast-check";
import { PulseError } from "../../errors/mod.ts";
import type { Credentials } from "../../identity/mod.ts";
import { createTestCa } from "../../identity/testing.ts";
import { LinkRefusedError, ProtocolError, StreamResetError } from "../errors.ts";
import { memoryStreamPair } from "../tls/testing.ts";
import { type ByteStream, type LinkPolicy, SessionCloseCode } from "../types.ts";
import { exchangeLinkHello, type LinkHelloOptions, linkProtocolVersion } from "./mod.ts";
import { decodeLinkMessage, encodeLinkMessage } from "./link_message.ts";

const ca = await createTestCa("lab");
const [near, far, third] = [await ca.issue(), await ca.issue(), await ca.issue()];

function policy(credentials: Credentials, more: Partial<LinkPolicy> = {}): LinkPolicy {
  return {
    network: "lab",
    credentials: () => credentials,
    admit: () => {},
    now: () => Date.now(),
    ...more,
  };
}

function dialler(more: Partial<LinkHelloOptions> = {}): LinkHelloOptions {
  return {
    role: "dialler",
    policy: policy(near),
    peer: far.certificate,
    signal: new AbortController().signal,
    transport: "quic",
    ...more,
  };
}

function acceptor(more: Partial<LinkHelloOptions> = {}): LinkHelloOptions {
  return dialler({ role: "acceptor", policy: policy(far), peer: near.certificate, ...more });
}

async function exchange(
  a: LinkHelloOptions,
  b: LinkHelloOptions,
): Promise<{ dialler: unknown; acceptor: unknown }> {
  const [x, y] = memoryStreamPair();
  const [d, c] = await Promise.allSettled([exchangeLinkHello(x, a), exchangeLinkHello(y, b)]);
  x.reset();
  return {
    dialler: d.status === "rejected" ? d.reason : undefined,
    acceptor: c.status === "rejected" ? c.reason : undefined,
  };
}

function assertRefused(error: unknown, code: number, message?: RegExp): void {
  assert.ok(error instanceof LinkRefusedError, String(error));
  assert.equal(error.closeCode, code);
  if (message !== undefined) assert.match(error.message, message);
}

Deno.test("two nodes of one network welcome each other", async () => {
  assert.deepEqual(await exchange(dialler(), acceptor()), {
    dialler: undefined,
    acceptor: undefined,
  });
});

Deno.test("a node of another network is refused, and both ends are told both names", async () => {
  const got = await exchange(
    dialler({ policy: policy(near, { network: "other" }) }),
    acceptor(),
  );
  for (const error of [got.dialler, got.acceptor]) {
    assertRefused(error, SessionCloseCode.wrongNetwork, /\bother\b.*\blab\b/);
  }
});

Deno.test("a peer the acceptor's policy refuses learns the code and the reason", async () => {
  const refuse = () => {
    throw new LinkRefusedError("Revoked on 3 May", SessionCloseCode.revoked);
  };
  const got = await exchange(dialler(), acceptor({ policy: policy(far, { admit: refuse }) }));
  assertRefused(got.dialler, SessionCloseCode.revoked, /Revoked on 3 May/);
  assertRefused(got.acceptor, SessionCloseCode.revoked, /Revoked on 3 May/);
});

Deno.test("a peer the dialler's policy refuses learns the code and the reason", async () => {
  const refuse = () => {
    throw new LinkRefusedError("Revoked on 3 May", SessionCloseCode.revoked);
  };
  const got = await exchange(dialler({ policy: policy(near, { admit: refuse }) }), acceptor());
  assertRefused(got.dialler, SessionCloseCode.revoked, /Revoked on 3 May/);
  assertRefused(got.acceptor, SessionCloseCode.revoked, /Revoked on 3 May/);
});

Deno.test("an accident in the policy refuses too, without telling its details", async () => {
  const broken = () => {
    throw new TypeError("secret path /x");
  };
  const got = await exchange(dialler(), acceptor({ policy: policy(far, { admit: broken }) }));
  assertRefused(got.dialler, SessionCloseCode.unauthenticated);
  assert.doesNotMatch((got.dialler as Error).message, /secret/);
  assert.ok((got.acceptor as Error).cause instanceof TypeError);
  const said = () => {
    throw new PulseError("X", "Too many links");
  };
  const told = await exchange(dialler(), acceptor({ policy: policy(far, { admit: said }) }));
  assertRefused(told.dialler, SessionCloseCode.unauthenticated, /Too many links/);
});

Deno.test("a node that dialled itself is refused on both ends", async () => {
  const got = await exchange(
    dialler({ peer: near.certificate }),
    acceptor({ policy: policy(near) }),
  );
  assertRefused(got.dialler, SessionCloseCode.self);
  assertRefused(got.acceptor, SessionCloseCode.self);
});

Deno.test("a confirmation made for somebody else or another transport is refused", async () => {
  for (
    const passedOn of [dialler({ peer: third.certificate }), dialler({ transport: "websocket" })]
  ) {
    const got = await exchange(passedOn, acceptor());
    assertRefused(got.acceptor, SessionCloseCode.unauthenticated, /passed it on/);
    assertRefused(got.dialler, SessionCloseCode.unauthenticated);
  }
});

Deno.test("a peer that claims an id its certificate does not is refused", async () => {
  const got = await exchange(dialler(), acceptor({ peer: third.certificate }));
  assertRefused(got.acceptor, SessionCloseCode.unauthenticated, /certificate/);
  const other = await exchange(dialler(), acceptor({ policy: policy(far) }));
  assert.equal(other.dialler, undefined);
});

/** Sends raw bytes as one end and gives the other end's outcome and what it answered. */
async function against(
  options: LinkHelloOptions,
  bytes: Uint8Array,
  end = true,
): Promise<{ error: unknown; answer: Uint8Array }> {
  const [x, y] = memoryStreamPair();
  const outcome = exchangeLinkHello(x, options).then(() => undefined, (error: unknown) => error)
    .then(async (error) => {
      await x.closeWrite();
      return error;
    });
  const parts: number[] = [];
  const reading = (async () => {
    for (let chunk = await y.read(); chunk !== null; chunk = await y.read()) parts.push(...chunk);
  })();
  const writing = y.write(bytes).then(() => end ? y.closeWrite() : undefined).catch(() => {});
  const error = await outcome;
  await reading;
  y.reset();
  await writing;
  return { error, answer: Uint8Array.from(parts) };
}

const hello = {
  v: linkProtocolVersion,
  network: "lab",
  id: near.certificate.id,
  verified: far.certificate.id,
  transport: "quic" as const,
};

Deno.test("another protocol version is refused with the versions named", async () => {
  const { error, answer } = await against(acceptor(), encodeLinkMessage({ ...hello, v: 2 }));
  assertRefused(error, SessionCloseCode.incompatible, /protocol 2.*speaks 1/);
  const said = decodeLinkMessage(answer.subarray(2));
  assert.ok("ok" in said && !said.ok && said.code === SessionCloseCode.incompatible);
});

Deno.test("the acceptor says nothing at all to a malformed hello", async () => {
  const wrong = [
    new Uint8Array([0, 0]),
    new Uint8Array([0xff, 0xff, 1]),
    new Uint8Array([0x10, 0x01]),
    new Uint8Array([0, 1, 0xc1]),
    encodeLinkMessage({ ok: true, v: 1, network: "lab", id: near.certificate.id }),
    encodeLinkMessage({ ...hello, id: "x" }),
    encodeLinkMessage(hello).subarray(0, 20),
    framed(encode({ ...hello, id: hello.id.toUpperCase() })),
    framed(encode({ __proto__: null, ...hello, transport: "carrier pigeon" })),
    framed(encode([1, 2, 3])),
  ];
  for (const bytes of wrong) {
    const { error, answer } = await against(acceptor(), bytes);
    assert.ok(error instanceof ProtocolError, `${bytes}: ${error}`);
    assert.equal(answer.length, 0);
  }
});

Deno.test("bytes before the welcome are a protocol error, bytes after it reach the dialler", async () => {
  const bytes = encodeLinkMessage(hello);
  const early = new Uint8Array(bytes.length + 1);
  early.set(bytes);
  const { error } = await against(acceptor(), early);
  assert.ok(error instanceof ProtocolError, String(error));

  const welcome = encodeLinkMessage({
    ok: true,
    v: linkProtocolVersion,
    network: "lab",
    id: far.certificate.id,
  });
  const [x, y] = memoryStreamPair();
  const rest = exchangeLinkHello(x, dialler());
  assert.ok(await y.read());
  const following = new Uint8Array([...welcome, 9, 8]);
  const writing = y.write(following).catch(() => {});
  assert.deepEqual(await rest, new Uint8Array([9, 8]));
  x.reset();
  await writing;
});

Deno.test("a dialler refuses a welcome that contradicts the certificate, network or version", async () => {
  const welcome = {
    ok: true as const,
    v: linkProtocolVersion,
    network: "lab",
    id: far.certificate.id,
  };
  const cases: [object, number][] = [
    [{ id: third.certificate.id }, SessionCloseCode.unauthenticated],
    [{ network: "other" }, SessionCloseCode.wrongNetwork],
    [{ v: 7 }, SessionCloseCode.incompatible],
  ];
  for (const [change, code] of cases) {
    const { error } = await against(dialler(), encodeLinkMessage({ ...welcome, ...change }));
    assertRefused(error, code);
  }
});

Deno.test("a hello in single bytes is understood", async () => {
  const [x, y] = memoryStreamPair();
  const accepted = exchangeLinkHello(x, acceptor());
  const reading = y.read();
  for (const byte of encodeLinkMessage(hello)) await y.write(Uint8Array.of(byte)).catch(() => {});
  assert.ok(await reading);
  y.reset();
  await accepted.catch((error: unknown) => assert.ok(error instanceof StreamResetError));
});

Deno.test("a reason cannot carry control characters into logs, nor be endless", () => {
  const body = encode({ ok: false, code: 5, reason: "a\u001b[31mb\r\nc\u0085" });
  const message = decodeLinkMessage(body);
  assert.deepEqual(message, { ok: false, code: 5, reason: "a [31mb  c " });
  assert.throws(
    () => decodeLinkMessage(encode({ ok: false, code: 5, reason: "x".repeat(600) })),
    ProtocolError,
  );
});

Deno.test("no bytes make the parser throw anything but a ProtocolError", () => {
  fc.assert(
    fc.property(
      fc.oneof(fc.uint8Array({ maxLength: 5000 }), fc.anything().map(tryEncode)),
      (body) => {
        try {
          decodeLinkMessage(body);
        } catch (error) {
          assert.ok(error instanceof ProtocolError, String(error));
        }
      },
    ),
  );
});

Deno.test("an aborted signal resets the stream and its reason is thrown", async () => {
  for (const options of [dialler(), acceptor()]) {
    const controller = new AbortController();
    const reason = new Error("too slow");
    const [x, y] = memoryStreamPair();
    const waiting = exchangeLinkHello(x, { ...options, signal: controller.signal });
    controller.abort(reason);
    await assert.rejects(waiting, reason);
    await assert.rejects(drain(y), StreamResetError);
    const [again] = memoryStreamPair();
    await assert.rejects(
      exchangeLinkHello(again, { ...options, signal: controller.signal }),
      reason,
    );
  }
});

async function drain(stream: ByteStream): Promise<void> {
  while (await stream.read() !== null);
}

function framed(body: Uint8Array): Uint8Array {
  return new Uint8Array([body.length >> 8, body.length & 255, ...body]);
}

function tryEncode(value: unknown): Uint8Array {
  try {
    return encode(value).slice(0, 5000);
  } catch {
    // Not everything has a msgpack form; nothing then.
    return new Uint8Array();
  }
}

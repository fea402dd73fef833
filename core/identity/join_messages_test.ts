import assert from "node:assert/strict";
import fc from "fast-check";
import { JoinError } from "./join_errors.ts";
import {
  decodeAnswer,
  decodeChallenge,
  decodeHello,
  decodeRequest,
  encodeAnswer,
  encodeChallenge,
  encodeHello,
  encodeRequest,
  lengthPrefixed,
} from "./join_messages.ts";

const bytes = (length: number, fill = 1) => new Uint8Array(length).fill(fill);
const hello = {
  version: 1,
  network: "corp",
  tokenId: "0123456789abcdef",
  nonce: bytes(32),
  publicKey: bytes(32, 2),
};
const challenge = { nonce: bytes(32), caCertificate: bytes(400), mac: bytes(32, 3) };
const request = { csr: bytes(200), mac: bytes(32) };
const answer = { certificate: bytes(500), reason: "", mac: bytes(32) };
const refusal = { certificate: bytes(0), reason: "token expired", mac: bytes(32) };
const decoders = [decodeHello, decodeChallenge, decodeRequest, decodeAnswer];
const messages = [
  encodeHello(hello),
  encodeChallenge(challenge),
  encodeRequest(request),
  encodeAnswer(answer),
  encodeAnswer(refusal),
];

Deno.test("messages come out as they went in", () => {
  assert.deepEqual(decodeHello(messages[0]!), hello);
  assert.deepEqual(decodeChallenge(messages[1]!), challenge);
  assert.deepEqual(decodeRequest(messages[2]!), request);
  assert.deepEqual(decodeAnswer(messages[3]!), answer);
  assert.deepEqual(decodeAnswer(messages[4]!), refusal);
});

Deno.test("truncated, extended and mistaken messages are protocol errors", () => {
  for (const message of messages) {
    for (const decode of decoders) {
      for (let length = 0; length < message.length; length++) {
        assert.throws(() => decode(message.subarray(0, length)), JoinError);
      }
      const longer = new Uint8Array(message.length + 1);
      longer.set(message);
      assert.throws(() => decode(longer), { code: "JOIN_PROTOCOL" });
    }
  }
  assert.throws(() => decodeHello(messages[1]!), { code: "JOIN_PROTOCOL" });
  assert.throws(() => decodeRequest(messages[3]!), { code: "JOIN_PROTOCOL" });
});

Deno.test("random bytes are never more than a protocol error", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 4 }), fc.uint8Array({ maxLength: 300 }), (type, rest) => {
      const message = Uint8Array.of(type, ...rest);
      for (const decode of decoders) {
        try {
          decode(message);
        } catch (error) {
          assert.ok(error instanceof JoinError);
        }
      }
    }),
    { numRuns: 2000 },
  );
});

Deno.test("fields out of bounds are refused", () => {
  const bad = [
    () => decodeHello(encodeHello({ ...hello, network: "A" })),
    () => decodeHello(encodeHello({ ...hello, network: "x".repeat(33) })),
    () => decodeHello(encodeHello({ ...hello, tokenId: "0123456789ABCDEF" })),
    () => decodeHello(encodeHello({ ...hello, nonce: bytes(31) })),
    () => decodeChallenge(encodeChallenge({ ...challenge, caCertificate: bytes(4097) })),
    () => decodeRequest(encodeRequest({ ...request, csr: bytes(0) })),
    () => decodeAnswer(encodeAnswer({ ...answer, reason: "both" })),
    () => decodeAnswer(encodeAnswer({ ...refusal, reason: "" })),
    () => decodeAnswer(encodeAnswer({ ...refusal, reason: "x".repeat(513) })),
    () => decodeAnswer(encodeAnswer({ ...refusal, reason: "\x1b[2Jgotcha" })),
    () => decodeAnswer(encodeAnswer({ ...refusal, reason: "\u202egotcha" })),
  ];
  for (const decode of bad) assert.throws(decode, { code: "JOIN_PROTOCOL" }, String(decode));
});

Deno.test("different lists of parts never give the same bytes", () => {
  const list = fc.array(fc.uint8Array({ maxLength: 6 }), { maxLength: 4 });
  fc.assert(fc.property(list, list, (a, b) => {
    const same = a.length === b.length && a.every((part, i) => part.toHex() === b[i]!.toHex());
    assert.equal(lengthPrefixed(a).toHex() === lengthPrefixed(b).toHex(), same);
  }));
});

import assert from "node:assert/strict";
import fc from "fast-check";
import { verifyEd25519 } from "../identity/mod.ts";
import { generateNodeKey } from "../identity/mod.ts";
import { GossipError } from "./errors.ts";
import { maxSequence } from "./limits.ts";
import {
  detachHead,
  headBytes,
  headContentHash,
  headMark,
  headSignature,
  readHead,
  sameContent,
  sameHead,
  signedMessage,
  signHead,
  signingPrefix,
  writeUint48,
} from "./record.ts";

const key = generateNodeKey();
const contentHash = new Uint8Array(32).fill(7);
const prefix = signingPrefix("corp");
const head = signHead({ id: key.id, sequence: 258, contentHash }, prefix, (m) => key.sign(m));

Deno.test("a head is 118 bytes: id, sequence, content hash, signature", () => {
  assert.equal(head.bytes.length, headBytes);
  assert.equal(headBytes, 118);
  assert.equal(head.bytes.subarray(0, 16).toHex(), key.id);
  assert.deepEqual([...head.bytes.subarray(16, 22)], [0, 0, 0, 0, 1, 2]);
  assert.deepEqual(headContentHash(head), contentHash);
  assert.equal(headMark(head), 0x07070707);
});

Deno.test("the author's signature covers label, network, id, sequence and content hash", () => {
  const message = signedMessage(prefix, head.bytes);
  assert.equal(verifyEd25519(key.publicKey, message, headSignature(head)), true);
  for (let i = 0; i < message.length; i++) {
    const changed = message.slice();
    changed[i]! ^= 1;
    assert.equal(verifyEd25519(key.publicKey, changed, headSignature(head)), false);
  }
});

Deno.test("no two networks have a signing prefix that begins alike", () => {
  const other = signingPrefix("corp2");
  assert.notDeepEqual(other.subarray(0, prefix.length), prefix);
});

Deno.test("a head is read in place and detached on demand", () => {
  const buffer = new Uint8Array(300);
  buffer.set(head.bytes, 50);
  const read = readHead(buffer, 50);
  assert.deepEqual([read.id, read.sequence], [key.id, 258]);
  const kept = detachHead(read);
  buffer.fill(0);
  assert.equal(sameHead(kept, head), true);
  assert.equal(sameHead(read, head), false);
});

Deno.test("a refresh is another head with the same content", () => {
  const refresh = signHead({ id: key.id, sequence: 259, contentHash }, prefix, (m) => key.sign(m));
  assert.equal(sameContent(head, refresh), true);
  assert.equal(sameHead(head, refresh), false);
});

Deno.test("every sequence of 48 bits survives the wire, one more is refused", () => {
  fc.assert(fc.property(fc.integer({ min: 0, max: maxSequence }), (sequence) => {
    const bytes = new Uint8Array(headBytes);
    writeUint48(bytes, 16, sequence);
    assert.equal(readHead(bytes, 0).sequence, sequence);
  }));
  assert.throws(
    () =>
      signHead({ id: key.id, sequence: maxSequence + 1, contentHash }, prefix, (m) => key.sign(m)),
    (error) => error instanceof GossipError && error.code === "GOSSIP_SEQUENCE_EXHAUSTED",
  );
});

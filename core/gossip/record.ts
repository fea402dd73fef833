import type { NodeId } from "../identity/types.ts";
import { GossipError } from "./errors.ts";
import { maxSequence } from "./limits.ts";

/**
 * The signed part of a record, always 118 bytes:
 *
 *     id 16 | sequence 6, big endian | SHA-256 of the content 32 | Ed25519 signature 64
 *
 * The signature covers `label 0x00 | length of network | network | id | sequence | content hash`. The content (what the node
 * says about itself) is bound by its hash, so a refresh that changes nothing but the sequence is these 118 bytes alone,
 * and content and certificate travel only to neighbours that lack them.
 */
export interface SignedHead {
  readonly id: NodeId;
  readonly sequence: number;
  /** Exactly as the author signed it; forwarded unchanged. */
  readonly bytes: Uint8Array;
}

export const headBytes = 118;
const sequenceOffset = 16;
const hashOffset = 22;
const signatureOffset = 54;
const label = "pulse gossip record v1";

/** Reads a head in place: `bytes` is a view of the input. The caller has made sure that 118 bytes are there. */
export function readHead(input: Uint8Array, offset: number): SignedHead {
  const bytes = input.subarray(offset, offset + headBytes);
  return {
    id: bytes.subarray(0, sequenceOffset).toHex(),
    sequence: readUint48(bytes, sequenceOffset),
    bytes,
  };
}

/** The same head in memory of its own, so that it does not hold on to the message it came in. */
export function detachHead(head: SignedHead): SignedHead {
  return { id: head.id, sequence: head.sequence, bytes: head.bytes.slice() };
}

/** @throws {GossipError} GOSSIP_SEQUENCE_EXHAUSTED */
export function signHead(
  parts: { readonly id: NodeId; readonly sequence: number; readonly contentHash: Uint8Array },
  prefix: Uint8Array,
  sign: (message: Uint8Array) => Uint8Array,
): SignedHead {
  if (parts.sequence > maxSequence) throw sequenceExhausted(parts.id);
  const bytes = new Uint8Array(headBytes);
  bytes.set(Uint8Array.fromHex(parts.id));
  writeUint48(bytes, sequenceOffset, parts.sequence);
  bytes.set(parts.contentHash, hashOffset);
  bytes.set(sign(signedMessage(prefix, bytes)), signatureOffset);
  return { id: parts.id, sequence: parts.sequence, bytes };
}

/** Nobody gets there by counting: only a stolen or broken key does. */
export function sequenceExhausted(id: NodeId): GossipError {
  return new GossipError(
    "GOSSIP_SEQUENCE_EXHAUSTED",
    `node ${id} has used up its gossip sequence numbers: it needs a new key`,
    { id },
  );
}

/** What precedes the signed fields: domain separation from every other use of a node key, and from other networks. */
export function signingPrefix(network: string): Uint8Array<ArrayBuffer> {
  const name = new TextEncoder().encode(network);
  const text = new TextEncoder().encode(label);
  const prefix = new Uint8Array(text.length + 2 + name.length);
  prefix.set(text);
  prefix[text.length + 1] = name.length;
  prefix.set(name, text.length + 2);
  return prefix;
}

/** The bytes the author signs. */
export function signedMessage(prefix: Uint8Array, head: Uint8Array): Uint8Array<ArrayBuffer> {
  const message = new Uint8Array(prefix.length + signatureOffset);
  message.set(prefix);
  message.set(head.subarray(0, signatureOffset), prefix.length);
  return message;
}

/** The part of a head that its signature covers, without the prefix. */
export function signedFields(head: SignedHead): Uint8Array {
  return head.bytes.subarray(0, signatureOffset);
}

export function headSignature(head: SignedHead): Uint8Array {
  return head.bytes.subarray(signatureOffset);
}

export function headContentHash(head: SignedHead): Uint8Array {
  return head.bytes.subarray(hashOffset, signatureOffset);
}

/** First 32 bits of the content hash: tells contents apart where nobody gains from a collision but with itself. */
export function headMark(head: SignedHead): number {
  return readUint32(head.bytes, hashOffset);
}

export function sameContent(a: SignedHead, b: SignedHead): boolean {
  return equalRange(a.bytes, b.bytes, hashOffset, signatureOffset);
}

export function sameHead(a: SignedHead, b: SignedHead): boolean {
  return equalRange(a.bytes, b.bytes, 0, headBytes);
}

export function readUint32(bytes: Uint8Array, offset: number): number {
  return ((bytes[offset]! << 24) | (bytes[offset + 1]! << 16) | (bytes[offset + 2]! << 8) |
    bytes[offset + 3]!) >>> 0;
}

export function readUint48(bytes: Uint8Array, offset: number): number {
  return ((bytes[offset]! << 8) | bytes[offset + 1]!) * 2 ** 32 + readUint32(bytes, offset + 2);
}

export function writeUint48(bytes: Uint8Array, offset: number, value: number): void {
  const high = Math.floor(value / 2 ** 32);
  const low = value >>> 0;
  bytes[offset] = high >>> 8;
  bytes[offset + 1] = high;
  bytes[offset + 2] = low >>> 24;
  bytes[offset + 3] = low >>> 16;
  bytes[offset + 4] = low >>> 8;
  bytes[offset + 5] = low;
}

function equalRange(a: Uint8Array, b: Uint8Array, from: number, to: number): boolean {
  for (let i = from; i < to; i++) if (a[i] !== b[i]) return false;
  return true;
}

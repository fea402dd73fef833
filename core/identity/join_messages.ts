import { maxCertificateBytes } from "./certificate_fields.ts";
import { JoinError } from "./join_errors.ts";
import { isNetworkName } from "./network_name.ts";

/**
 * Messages of a join: one type byte, then a fixed list of fields, each `u16 length` and bytes. There is one way to write a
 * message, and every length has a bound, so the bytes themselves are what the MACs cover.
 */

/** Largest message of a join conversation. */
export const maxJoinMessageBytes = 16 * 1024;
/** Messages in each direction at most. */
export const maxJoinMessages = 8;
/** Time for a whole join. */
export const joinTimeoutMs = 30_000;
export const joinVersion = 1;

export interface JoinHello {
  readonly version: number;
  readonly network: string;
  /** 16 hex characters. */
  readonly tokenId: string;
  readonly nonce: Uint8Array;
  readonly publicKey: Uint8Array;
}

export interface JoinChallenge {
  readonly nonce: Uint8Array;
  /** DER. */
  readonly caCertificate: Uint8Array;
  readonly mac: Uint8Array;
}

export interface JoinRequest {
  /** DER. */
  readonly csr: Uint8Array;
  readonly mac: Uint8Array;
}

/** Either a certificate or a reason, the other one empty. Without a shared key the MAC is 32 zero bytes. */
export interface JoinAnswer {
  readonly certificate: Uint8Array;
  readonly reason: string;
  readonly mac: Uint8Array;
}

/** `roll` is no part of a join: with it two nodes tell each other, unproven, of a CA roll; the rest of it is a signed roll or nothing. */
export const joinMessageType = { hello: 1, challenge: 2, request: 3, answer: 4, roll: 5 } as const;

/** Bounds of one field: bytes at least, bytes at most. */
type Bounds = readonly [min: number, max: number];

const helloFields: readonly Bounds[] = [[1, 1], [1, 32], [16, 16], [32, 32], [32, 32]];
const challengeFields: readonly Bounds[] = [[32, 32], [1, maxCertificateBytes], [32, 32]];
const requestFields: readonly Bounds[] = [[1, 2048], [32, 32]];
const answerFields: readonly Bounds[] = [[0, maxCertificateBytes], [0, 512], [32, 32]];

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

export function encodeHello(hello: JoinHello): Uint8Array<ArrayBuffer> {
  return encode(joinMessageType.hello, [
    Uint8Array.of(hello.version),
    encoder.encode(hello.network),
    encoder.encode(hello.tokenId),
    hello.nonce,
    hello.publicKey,
  ]);
}

/** @throws {JoinError} JOIN_PROTOCOL */
export function decodeHello(message: Uint8Array): JoinHello {
  const [version, network, tokenId, nonce, publicKey] = decode(
    message,
    joinMessageType.hello,
    helloFields,
  ) as [Uint8Array, Uint8Array, Uint8Array, Uint8Array, Uint8Array];
  const hello = {
    version: version[0]!,
    network: text(network),
    tokenId: text(tokenId),
    nonce,
    publicKey,
  };
  if (!isNetworkName(hello.network)) throw malformed("it names no network");
  if (!/^[0-9a-f]{16}$/.test(hello.tokenId)) throw malformed("it names no token");
  return hello;
}

export function encodeChallenge(challenge: JoinChallenge): Uint8Array<ArrayBuffer> {
  return encode(joinMessageType.challenge, [
    challenge.nonce,
    challenge.caCertificate,
    challenge.mac,
  ]);
}

/** @throws {JoinError} JOIN_PROTOCOL */
export function decodeChallenge(message: Uint8Array): JoinChallenge {
  const [nonce, caCertificate, mac] = decode(
    message,
    joinMessageType.challenge,
    challengeFields,
  ) as [Uint8Array, Uint8Array, Uint8Array];
  return { nonce, caCertificate, mac };
}

export function encodeRequest(request: JoinRequest): Uint8Array<ArrayBuffer> {
  return encode(joinMessageType.request, [request.csr, request.mac]);
}

/** @throws {JoinError} JOIN_PROTOCOL */
export function decodeRequest(message: Uint8Array): JoinRequest {
  const [csr, mac] = decode(message, joinMessageType.request, requestFields) as [
    Uint8Array,
    Uint8Array,
  ];
  return { csr, mac };
}

export function encodeAnswer(answer: JoinAnswer): Uint8Array<ArrayBuffer> {
  return encode(joinMessageType.answer, [
    answer.certificate,
    encoder.encode(answer.reason),
    answer.mac,
  ]);
}

/** @throws {JoinError} JOIN_PROTOCOL */
export function decodeAnswer(message: Uint8Array): JoinAnswer {
  const [certificate, reason, mac] = decode(message, joinMessageType.answer, answerFields) as [
    Uint8Array,
    Uint8Array,
    Uint8Array,
  ];
  if ((certificate.length === 0) === (reason.length === 0)) {
    throw malformed("it has to hold either a certificate or a reason");
  }
  const words = text(reason);
  // It ends up on somebody's terminal.
  if (/[\p{Cc}\p{Cf}]/u.test(words)) throw malformed("its reason has control characters");
  return { certificate, reason: words, mac };
}

/** Type byte of a message, -1 when empty. */
export function joinTypeOf(message: Uint8Array): number {
  return message[0] ?? -1;
}

/** Concatenation in which no two different lists of parts give the same bytes. */
export function lengthPrefixed(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const out = new Uint8Array(parts.reduce((sum, part) => sum + 4 + part.length, 0));
  const view = new DataView(out.buffer);
  let offset = 0;
  for (const part of parts) {
    view.setUint32(offset, part.length);
    out.set(part, offset + 4);
    offset += 4 + part.length;
  }
  return out;
}

function encode(type: number, fields: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const out = new Uint8Array(1 + fields.reduce((sum, field) => sum + 2 + field.length, 0));
  const view = new DataView(out.buffer);
  out[0] = type;
  let offset = 1;
  for (const field of fields) {
    view.setUint16(offset, field.length);
    out.set(field, offset + 2);
    offset += 2 + field.length;
  }
  return out;
}

/** Fields as copies, so that a reused receive buffer cannot change them. */
function decode(message: Uint8Array, type: number, bounds: readonly Bounds[]): Uint8Array[] {
  if (message.length > maxJoinMessageBytes) throw malformed(`it has ${message.length} bytes`);
  if (message[0] !== type) throw malformed(`type ${type} was due, it has ${joinTypeOf(message)}`);
  const fields: Uint8Array[] = [];
  let offset = 1;
  for (const [min, max] of bounds) {
    if (offset + 2 > message.length) throw malformed("it is truncated");
    const length = (message[offset]! << 8) | message[offset + 1]!;
    offset += 2;
    if (length < min || length > max) throw malformed(`a field has ${length} bytes`);
    if (offset + length > message.length) throw malformed("it is truncated");
    fields.push(message.slice(offset, offset + length));
    offset += length;
  }
  if (offset !== message.length) throw malformed("it has trailing bytes");
  return fields;
}

function text(bytes: Uint8Array): string {
  try {
    return decoder.decode(bytes);
  } catch (error) {
    throw malformed("a text is not UTF-8", error);
  }
}

function malformed(why: string, cause?: unknown): JoinError {
  return new JoinError("JOIN_PROTOCOL", `malformed join message: ${why}`, {}, cause);
}

import { decode, encode } from "@msgpack/msgpack";
import { z } from "zod";
import type { NodeId } from "../identity/types.ts";
import { ProtocolError } from "../sessions/errors.ts";

/** First byte of every session stream: what the stream is. */
export const streamKind = { control: 1, mesh: 2 } as const;

/** Nodes a path may name: 16 hops join 17 nodes. */
export const maxPathNodes = 17;
/** A header of 17 ids and a protocol name stays well below this. */
export const maxHeaderBytes = 1024;
export const maxRequestBytes = 1024;
export const maxStatusBytes = 1024;

/**
 * The part of a stream request that every hop reads. The path is a source route: each hop forwards to the next node it names
 * or answers why not, so no loop can arise. What policy needs is declared here and checked against the sealed request by the
 * destination.
 */
export interface StreamHeader {
  /** The origin first, the destination last. */
  readonly path: readonly NodeId[];
  /** Index in `path` of the node that receives this header. */
  readonly position: number;
  readonly protocol: string;
  readonly port: number;
}

/** The part only the destination reads; through relays it travels inside the end-to-end TLS. */
export interface SealedRequest {
  readonly protocol: string;
  readonly target: string | undefined;
  readonly port: number;
}

export interface StreamAnswer {
  readonly status: number;
  readonly reason: string;
  /** Who answers. */
  readonly hop: NodeId | undefined;
}

const nodeBytes = z.instanceof(Uint8Array).refine((bytes) => bytes.length === 16);
const protocolName = z.string().regex(/^[a-z][a-z0-9.-]{0,63}$/);
const portNumber = z.number().int().min(0).max(65_535);
const headerSchema = z.tuple([
  z.literal(1),
  z.array(nodeBytes).min(2).max(maxPathNodes),
  z.number().int().min(1).max(maxPathNodes - 1),
  protocolName,
  portNumber,
]);
const requestSchema = z.tuple([protocolName, z.string().max(300).nullable(), portNumber]);
const answerSchema = z.tuple([
  z.number().int().min(0).max(255),
  z.string().max(500),
  nodeBytes.nullable(),
]);

function parse<T>(schema: z.ZodType<T>, bytes: Uint8Array, what: string): T {
  let value: unknown;
  try {
    value = decode(bytes, {
      maxStrLength: 512,
      maxBinLength: 64,
      maxArrayLength: 32,
      maxMapLength: 0,
    });
  } catch (cause) {
    throw new ProtocolError(`The ${what} is not valid MessagePack`, {}, cause);
  }
  const parsed = schema.safeParse(value);
  if (!parsed.success) {
    throw new ProtocolError(`The ${what} is malformed`, {
      issue: parsed.error.issues[0]?.message ?? "unknown",
    });
  }
  return parsed.data;
}

function framed(body: Uint8Array, prefix: readonly number[] = []): Uint8Array {
  const out = new Uint8Array(prefix.length + 2 + body.length);
  out.set(prefix, 0);
  new DataView(out.buffer).setUint16(prefix.length, body.length);
  out.set(body, prefix.length + 2);
  return out;
}

/** Kind byte, u16 length, body. */
export function encodeHeader(header: StreamHeader): Uint8Array {
  const ids = header.path.map((id) => Uint8Array.fromHex(id));
  return framed(encode([1, ids, header.position, header.protocol, header.port]), [streamKind.mesh]);
}

/** @throws {ProtocolError} malformed, repeated nodes, position outside the path */
export function decodeHeader(body: Uint8Array): StreamHeader {
  const [, ids, position, protocol, port] = parse(headerSchema, body, "stream header");
  const path = ids.map((id) => id.toHex());
  if (position >= path.length) throw new ProtocolError("The stream header points behind its path");
  if (new Set(path).size !== path.length) {
    throw new ProtocolError("The path of the stream header visits a node twice");
  }
  return { path, position, protocol, port };
}

/** u16 length, body. */
export function encodeRequest(request: SealedRequest): Uint8Array {
  return framed(encode([request.protocol, request.target ?? null, request.port]));
}

export function decodeRequest(body: Uint8Array): SealedRequest {
  const [protocol, target, port] = parse(requestSchema, body, "stream request");
  return { protocol, target: target ?? undefined, port };
}

/** u16 length, body. */
export function encodeAnswer(answer: StreamAnswer): Uint8Array {
  const hop = answer.hop === undefined ? null : Uint8Array.fromHex(answer.hop);
  return framed(encode([answer.status, answer.reason.slice(0, 400), hop]));
}

export function decodeAnswer(body: Uint8Array): StreamAnswer {
  const [status, reason, hop] = parse(answerSchema, body, "stream answer");
  return { status, reason, hop: hop?.toHex() };
}

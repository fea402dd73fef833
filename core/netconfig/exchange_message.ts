import { ByteReader, concatBytes, uintBytes } from "./byte_reader.ts";
import { NetConfigError } from "./errors.ts";
import { maxSignedConfigBytes, maxSignedGrantBytes } from "./limits.ts";
import type { ConfigPosition } from "./types.ts";

/** A config travels in pieces of this size, far below what a control message may hold. */
export const chunkBytes = 256 * 1024;

/** What a node has. */
export interface Announcement {
  readonly type: "announce";
  /** The highest grant, signed; empty when there is none. */
  readonly grant: Uint8Array;
  /** Zero and zero, with an empty hash, when there is no config. */
  readonly position: ConfigPosition;
  readonly hash: string;
  /** Length of the signed config. */
  readonly length: number;
}

/** Please send the piece that begins here. */
export interface Ask {
  readonly type: "ask";
  readonly hash: string;
  readonly offset: number;
}

export interface Chunk {
  readonly type: "chunk";
  readonly hash: string;
  readonly offset: number;
  readonly bytes: Uint8Array;
}

export type ExchangeMessage = Announcement | Ask | Chunk;

const kinds = { announce: 1, ask: 2, chunk: 3 } as const;
const noHash = new Uint8Array(32);

export function encodeExchange(message: ExchangeMessage): Uint8Array<ArrayBuffer> {
  const kind = uintBytes(kinds[message.type], 1);
  switch (message.type) {
    case "announce": {
      const { grant, position, hash, length } = message;
      return concatBytes(
        kind,
        uintBytes(grant.length, 2),
        grant,
        uintBytes(position.epoch, 6),
        uintBytes(position.version, 6),
        hash === "" ? noHash : Uint8Array.fromHex(hash),
        uintBytes(length, 4),
      );
    }
    case "ask":
      return concatBytes(kind, Uint8Array.fromHex(message.hash), uintBytes(message.offset, 4));
    case "chunk":
      return concatBytes(
        kind,
        Uint8Array.fromHex(message.hash),
        uintBytes(message.offset, 4),
        message.bytes,
      );
  }
}

/** Undefined for a kind that a newer version knows. @throws {NetConfigError} NETCONFIG_MALFORMED */
export function decodeExchange(bytes: Uint8Array): ExchangeMessage | undefined {
  const reader = new ByteReader(bytes, "the message about the network config");
  switch (reader.uint(1)) {
    case kinds.announce: {
      const grant = reader.sized(2, maxSignedGrantBytes);
      const position = { epoch: reader.uint(6), version: reader.uint(6) };
      const hash = reader.take(32).toHex();
      const length = reader.uint(4);
      reader.end();
      const none = position.epoch === 0;
      if (none !== (position.version === 0) || none !== (length === 0)) {
        throw malformed("announces half a config");
      }
      if (length > maxSignedConfigBytes) throw malformed(`announces ${length} bytes`);
      return { type: "announce", grant, position, hash: none ? "" : hash, length };
    }
    case kinds.ask: {
      const hash = reader.take(32).toHex();
      const offset = pieceOffset(reader);
      reader.end();
      return { type: "ask", hash, offset };
    }
    case kinds.chunk: {
      const hash = reader.take(32).toHex();
      const offset = pieceOffset(reader);
      const piece = reader.rest();
      if (piece.length === 0 || piece.length > chunkBytes) {
        throw malformed(`brings a piece of ${piece.length} bytes`);
      }
      return { type: "chunk", hash, offset, bytes: piece };
    }
    default:
      return undefined;
  }
}

function pieceOffset(reader: ByteReader): number {
  const offset = reader.uint(4);
  if (offset % chunkBytes !== 0 || offset >= maxSignedConfigBytes) {
    throw malformed(`names the offset ${offset}`);
  }
  return offset;
}

function malformed(why: string): NetConfigError {
  return new NetConfigError("NETCONFIG_MALFORMED", `a message about the network config ${why}`);
}

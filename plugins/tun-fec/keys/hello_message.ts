import { decode, encode } from "@msgpack/msgpack";
import { z } from "zod";
import { PulseError } from "../../../core/errors/mod.ts";

/** Longest hello on the wire, bytes: later versions may say more behind. */
export const maxHello = 256;

const hello = z.tuple([z.literal("hello"), z.int().min(0).max(65_535)]).rest(z.unknown());

/** The first thing two ends say on the channel for keys. */
export interface Hello {
  /** UDP port where data comes in; 0: where QUIC is. */
  readonly port: number;
}

export function encodeHello({ port }: Hello): Uint8Array {
  return encode(["hello", port]);
}

/** @throws {PulseError} KEY_MESSAGE_INVALID */
export function decodeHello(bytes: Uint8Array): Hello {
  try {
    if (bytes.length > maxHello) throw new RangeError(`${bytes.length} bytes`);
    const limits = { maxArrayLength: 16, maxStrLength: maxHello, maxBinLength: maxHello };
    const [, port] = hello.parse(decode(bytes, limits));
    return { port };
  } catch (cause) {
    throw new PulseError(
      "KEY_MESSAGE_INVALID",
      "The other end's hello makes no sense",
      {},
      cause,
    );
  }
}

import { decode, encode } from "@msgpack/msgpack";
import { z } from "zod";
import { PulseError } from "../../../core/errors/mod.ts";

/** Ciphers two ends may agree on, the one both like best first: what has AES in hardware is fastest with it. */
export const ciphers = ["aes-128-gcm", "aes-256-gcm", "chacha20-poly1305"] as const;
export type CipherName = (typeof ciphers)[number];

/** Longest key message on the wire, bytes. */
export const maxKeyMessage = 512;

const secret = z.custom<Uint8Array>(
  (value) => value instanceof Uint8Array && value.length === 32,
  "is not 32 bytes",
);
const receiver = z.int().min(1).max(0xffff_ffff);
const epoch = z.int().min(1).max(Number.MAX_SAFE_INTEGER);
const cipherList = z.array(z.string().max(32)).max(8);

const message = z.union([
  z.tuple([z.literal("offer"), epoch, receiver, secret, cipherList]),
  z.tuple([z.literal("answer"), epoch, receiver, secret, z.enum(ciphers)]),
  z.tuple([z.literal("refuse"), epoch, z.string().max(200)]),
]);

/** What two ends say to each other about keys, over a channel that has authenticated both and that nobody else can read. */
export type KeyMessage = z.infer<typeof message>;

export function encodeKeyMessage(said: KeyMessage): Uint8Array {
  return encode(said);
}

/** @throws {PulseError} KEY_MESSAGE_INVALID */
export function decodeKeyMessage(bytes: Uint8Array): KeyMessage {
  try {
    if (bytes.length > maxKeyMessage) throw new RangeError(`${bytes.length} bytes`);
    return message.parse(decode(bytes, { maxArrayLength: 8, maxStrLength: 200, maxBinLength: 32 }));
  } catch (cause) {
    throw new PulseError(
      "KEY_MESSAGE_INVALID",
      "The other end's key message makes no sense",
      {},
      cause,
    );
  }
}

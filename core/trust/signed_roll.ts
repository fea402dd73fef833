import { hash } from "node:crypto";
import { z } from "zod";
import { errorText } from "../errors/mod.ts";
import { verifyEd25519 } from "../identity/ed25519.ts";
import { isNetworkName } from "../identity/network_name.ts";
import { trustAnchorFromDer } from "../identity/trust_anchor.ts";
import type { TrustAnchor } from "../identity/types.ts";
import { TrustError } from "./errors.ts";
import type { CaRoll, SignedRoll } from "./types.ts";

/** Largest signed roll: two CA certificates of some 300 bytes and a few words. */
export const maxRollBytes = 4_096;

const format = 1;
const signatureBytes = 64;
/** Keeps these signatures apart from every other thing a CA's key signs. */
const domain = new TextEncoder().encode("pulse ca roll v1\0");

const schema = z.object({
  network: z.string().refine(isNetworkName),
  serial: z.int().min(1).max(2 ** 48 - 1),
  stage: z.enum(["overlap", "finished"]),
  issuedAt: z.int().min(0),
});

/** Signs with a CA's key. */
export type Sign = (message: Uint8Array) => Uint8Array;

/**
 * A roll as it travels: `format 1 | u16 JSON | u16 old CA, DER | u16 new CA, DER | signature 64 by the old | 64 by the new`, each
 * part behind its length; both sign all that stands before.
 */
export function signRoll(
  roll: CaRoll,
  from: { readonly anchor: TrustAnchor; readonly sign: Sign },
  to: { readonly anchor: TrustAnchor; readonly sign: Sign },
): Uint8Array<ArrayBuffer> {
  const json = new TextEncoder().encode(JSON.stringify(schema.parse(roll)));
  const body = concat(
    Uint8Array.of(format),
    ...[json, from.anchor.der, to.anchor.der].flatMap((part) => [
      Uint8Array.of(part.length >> 8, part.length & 0xff),
      part,
    ]),
  );
  const message = concat(domain, body);
  return concat(body, from.sign(message), to.sign(message));
}

/**
 * The only way to a `SignedRoll`. It says that these two CAs have agreed on it, not that anybody has to believe them. The input is copied.
 * @throws {TrustError} TRUST_MALFORMED, TRUST_NETWORK, TRUST_SIGNATURE
 */
export function verifyRoll(bytes: Uint8Array, network: string): SignedRoll {
  if (bytes.length > maxRollBytes) throw malformed(`has ${bytes.length} bytes`);
  const copy = bytes.slice();
  if (copy[0] !== format) throw malformed(`has format ${copy[0] ?? "none"}: update pulse`);
  let offset = 1;
  const take = (length: number) => {
    if (offset + length > copy.length) throw malformed("is truncated");
    return copy.subarray(offset, offset += length);
  };
  const part = () => {
    const [high = 0, low = 0] = take(2);
    return take((high << 8) | low);
  };
  const [json, fromDer, toDer] = [part(), part(), part()];
  const message = concat(domain, copy.subarray(0, offset));
  const signatures = [take(signatureBytes), take(signatureBytes)] as const;
  if (offset !== copy.length) throw malformed("has trailing bytes");
  const [from, to] = [anchorOf(fromDer), anchorOf(toDer)];
  if (
    !verifyEd25519(from.publicKey, message, signatures[0]) ||
    !verifyEd25519(to.publicKey, message, signatures[1])
  ) {
    throw new TrustError("TRUST_SIGNATURE", "the CA roll is not signed by both of its CAs");
  }
  if (from.publicKey.toHex() === to.publicKey.toHex()) throw malformed("names one CA twice");
  const roll = parse(json);
  if (roll.network !== network) {
    throw new TrustError(
      "TRUST_NETWORK",
      `the CA roll is for network "${roll.network}", this is network "${network}"`,
      { network: roll.network },
    );
  }
  return { roll, from, to, bytes: copy, hash: hash("sha256", copy, "hex") };
}

function anchorOf(der: Uint8Array): TrustAnchor {
  try {
    return trustAnchorFromDer(der);
  } catch (error) {
    throw malformed(`names a CA that cannot be one: ${errorText(error)}`, error);
  }
}

function parse(json: Uint8Array): CaRoll {
  try {
    return schema.parse(JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(json)));
  } catch (error) {
    throw malformed("does not say what it has to", error);
  }
}

function malformed(why: string, cause?: unknown): TrustError {
  return new TrustError("TRUST_MALFORMED", `the CA roll ${why}`, {}, cause);
}

function concat(...parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const out = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let offset = 0;
  for (const part of parts) {
    out.set(part, offset);
    offset += part.length;
  }
  return out;
}

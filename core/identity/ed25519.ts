import { createPublicKey, type KeyObject, verify } from "node:crypto";
import { Buffer } from "node:buffer";

/** RFC 8410: SubjectPublicKeyInfo of an Ed25519 key up to the 32 key bytes. */
const spkiPrefix = Uint8Array.fromHex("302a300506032b6570032100");

/** y coordinates of the points of order 1, 2, 4 and 8 (sign bit cleared); for these keys signatures mean nothing. */
const smallOrderKeys = new Set([
  "0000000000000000000000000000000000000000000000000000000000000000",
  "0100000000000000000000000000000000000000000000000000000000000000",
  "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
  "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
  "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
]);

/** 32 bytes, y below the field's prime (one encoding per key, so one id per key), and not of small order. */
export function isStrictPublicKey(raw: Uint8Array): boolean {
  if (raw.length !== 32) return false;
  const copy = raw.slice();
  copy[31] = copy[31]! & 0x7f;
  if (copy[31] === 0x7f && copy[0]! >= 0xed && copy.subarray(1, 31).every((b) => b === 0xff)) {
    return false;
  }
  return !smallOrderKeys.has(copy.toHex());
}

/** DER SubjectPublicKeyInfo, 44 bytes. */
export function spkiFromPublicKey(raw: Uint8Array): Uint8Array<ArrayBuffer> {
  const spki = new Uint8Array(44);
  spki.set(spkiPrefix);
  spki.set(raw, spkiPrefix.length);
  return spki;
}

/**
 * Import once, verify often: importing costs about a quarter of a verification. Null for a key that is not strict (see
 * `isStrictPublicKey`) or not a point on the curve.
 */
export function importPublicKey(raw: Uint8Array): KeyObject | null {
  if (!isStrictPublicKey(raw)) return null;
  try {
    return createPublicKey({
      key: Buffer.from(spkiFromPublicKey(raw).buffer),
      format: "der",
      type: "spki",
    });
  } catch {
    // Whatever node:crypto has against it, it is not a key anybody can sign with.
    return null;
  }
}

/** Strict Ed25519 (RFC 8032 5.1.7 with S < L, no small-order or non-canonical keys). False for anything else, never throws. */
export function verifyEd25519(
  publicKey: Uint8Array,
  message: Uint8Array,
  signature: Uint8Array,
): boolean {
  if (signature.length !== 64) return false;
  const key = importPublicKey(publicKey);
  return key !== null && verifyWithKey(key, message, signature);
}

/** As `verifyEd25519`, with a key from `importPublicKey()`. */
export function verifyWithKey(
  key: KeyObject,
  message: Uint8Array,
  signature: Uint8Array,
): boolean {
  return signature.length === 64 && verify(null, message, key, signature);
}

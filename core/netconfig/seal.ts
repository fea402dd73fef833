import { Buffer } from "node:buffer";
import {
  createCipheriv,
  createDecipheriv,
  createPrivateKey,
  createPublicKey,
  diffieHellman,
  hkdfSync,
  type KeyObject,
} from "node:crypto";
import { concatBytes } from "./byte_reader.ts";
import { NetConfigError } from "./errors.ts";

/** RFC 8410: PKCS#8 and SubjectPublicKeyInfo of an X25519 key up to its 32 bytes. */
const privatePrefix = Uint8Array.fromHex("302e020100300506032b656e04220420");
const publicPrefix = Uint8Array.fromHex("302a300506032b656e032100");
const info = new TextEncoder().encode("pulse token seal v1");
const keyBytes = 32;
const nonceBytes = 12;
const tagBytes = 16;

/** Length of a sealed key: the sender's one-time public key, the ciphertext, the tag. */
const sealedBytes = 32 + keyBytes + tagBytes;

/** The public half of a raw X25519 private key, raw. */
export function sealPublicKey(privateKey: Uint8Array): Uint8Array<ArrayBuffer> {
  return rawPublic(importPrivate(privateKey));
}

/**
 * Seals 32 bytes so that only the holder of the private key reads them: X25519 with a one-time key, HKDF-SHA-256 salted with both public
 * keys, AES-256-GCM.
 * @param oneTime 32 random bytes, never used before
 * @throws {NetConfigError} NETCONFIG_REQUEST
 */
export function sealKey(
  secret: Uint8Array,
  publicKey: Uint8Array,
  oneTime: Uint8Array,
): Uint8Array<ArrayBuffer> {
  if (secret.length !== keyBytes) {
    throw new NetConfigError(
      "NETCONFIG_REQUEST",
      `a key to be sealed has ${keyBytes} bytes, this one has ${secret.length}`,
    );
  }
  const own = importPrivate(oneTime);
  const ownPublic = rawPublic(own);
  const { key, nonce } = derive(own, publicKey, ownPublic, publicKey);
  const cipher = createCipheriv("aes-256-gcm", key, nonce);
  const text = concatBytes(cipher.update(secret), cipher.final());
  return concatBytes(ownPublic, text, cipher.getAuthTag());
}

/** What was sealed; undefined when it was not sealed to this key, or was touched since. */
export function openSealedKey(
  sealed: Uint8Array,
  privateKey: Uint8Array,
): Uint8Array<ArrayBuffer> | undefined {
  if (sealed.length !== sealedBytes) return undefined;
  const own = importPrivate(privateKey);
  const theirs = sealed.subarray(0, 32);
  try {
    const { key, nonce } = derive(own, theirs, theirs, rawPublic(own));
    const decipher = createDecipheriv("aes-256-gcm", key, nonce, { authTagLength: tagBytes });
    decipher.setAuthTag(Buffer.from(sealed.subarray(32 + keyBytes)));
    const text = decipher.update(sealed.subarray(32, 32 + keyBytes));
    return concatBytes(text, decipher.final());
  } catch {
    // A weak key or a wrong tag: in either case it is not for us.
    return undefined;
  }
}

function derive(
  own: KeyObject,
  theirs: Uint8Array,
  sender: Uint8Array,
  recipient: Uint8Array,
): { key: Uint8Array; nonce: Uint8Array } {
  const publicKey = createPublicKey({
    key: Buffer.from(concatBytes(publicPrefix, theirs)),
    format: "der",
    type: "spki",
  });
  const shared = diffieHellman({ privateKey: own, publicKey });
  const salt = concatBytes(sender, recipient);
  const okm = new Uint8Array(hkdfSync("sha256", shared, salt, info, keyBytes + nonceBytes));
  return { key: okm.subarray(0, keyBytes), nonce: okm.subarray(keyBytes) };
}

function importPrivate(raw: Uint8Array): KeyObject {
  const der = Buffer.from(concatBytes(privatePrefix, raw));
  return createPrivateKey({ key: der, format: "der", type: "pkcs8" });
}

function rawPublic(key: KeyObject): Uint8Array<ArrayBuffer> {
  const der = createPublicKey(key).export({ format: "der", type: "spki" });
  return new Uint8Array(der.subarray(-32));
}

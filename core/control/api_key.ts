import { hash, timingSafeEqual } from "node:crypto";

/** What a key lets its holder do: everything, or look. */
export type ApiKeyRole = "admin" | "read";

/** A key as it is kept: everything but the secret. */
export interface ApiKeyRecord {
  /** 12 hex characters, the middle of the key's text. Public. */
  readonly id: string;
  readonly name: string;
  readonly role: ApiKeyRole;
  /** SHA-256 of the key's text, hex. */
  readonly hash: string;
  /** Milliseconds since the epoch. */
  readonly createdAt: number;
  /** When it stops to work by itself, as a key that has been rotated does; null for never. */
  readonly endsAt: number | null;
}

const keyPattern = /^plk_([0-9a-f]{12})_[0-9a-f]{64}$/;

/** A new key: `plk_<id>_<secret>`, the secret 32 random bytes as 64 hex characters. */
export function generateApiKey(): { readonly id: string; readonly key: string } {
  const random = (bytes: number) => crypto.getRandomValues(new Uint8Array(bytes)).toHex();
  const id = random(6);
  return { id, key: `plk_${id}_${random(32)}` };
}

/** The id inside a key's text; undefined when it is no key. */
export function apiKeyId(text: string): string | undefined {
  return keyPattern.exec(text)?.[1];
}

/**
 * What is kept of a key. One round of SHA-256 is enough: slow password hashes make up for secrets that people choose, and this one has
 * 256 random bits, so whoever has the hash would need 2^255 tries. A slow hash would only let strangers keep the node busy.
 */
export function hashApiKey(key: string): string {
  return hash("sha256", `pulse api key v1${key}`, "hex");
}

/** Compares in a time that does not depend on where the two differ, nor on whether there is a record. */
export function matchesApiKey(key: string, record: ApiKeyRecord | undefined): boolean {
  const kept = record?.hash ?? "0".repeat(64);
  const same = timingSafeEqual(Uint8Array.fromHex(hashApiKey(key)), Uint8Array.fromHex(kept));
  return same && record !== undefined;
}

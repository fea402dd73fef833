import { hash, hkdfSync } from "node:crypto";
import { IdentityError } from "./errors.ts";

/**
 * Fewer characters could be guessed offline by whoever recorded a join. A generated token has 64 (256 bits); a token thought
 * up by a person is only as good as it is hard to guess.
 */
export const minJoinTokenLength = 16;
const maxJoinTokenLength = 256;

/** A new token: 32 random bytes as 64 hex characters. */
export function generateJoinToken(): string {
  return crypto.getRandomValues(new Uint8Array(32)).toHex();
}

/**
 * A token as given by a user, without space around it.
 * @throws {IdentityError} JOIN_TOKEN_WEAK shorter than 16 or longer than 256 characters
 */
export function parseJoinToken(text: string): string {
  const token = text.trim();
  if (token.length < minJoinTokenLength || token.length > maxJoinTokenLength) {
    throw new IdentityError(
      "JOIN_TOKEN_WEAK",
      `a join token needs ${minJoinTokenLength} to ${maxJoinTokenLength} characters, this one has ${token.length}: ` +
        "a shorter one could be guessed by whoever recorded a join",
      { length: token.length },
    );
  }
  return token;
}

/** Public name of a token, sent in clear: the first 16 hex characters of SHA-256("pulse token id v1" || token). */
export function joinTokenId(token: string): string {
  return hash("sha256", `pulse token id v1${token}`, "hex").slice(0, 16);
}

/** Key of the join's MACs: HKDF-SHA-256(token, info "pulse join v1"), 32 bytes. All the CA keeps of a token. */
export function joinTokenKey(token: string): Uint8Array<ArrayBuffer> {
  const encoder = new TextEncoder();
  const none = new Uint8Array(0);
  return new Uint8Array(
    hkdfSync("sha256", encoder.encode(token), none, encoder.encode("pulse join v1"), 32),
  );
}

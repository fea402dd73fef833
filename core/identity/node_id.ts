import { hash } from "node:crypto";
import { IdentityError } from "./errors.ts";
import type { NodeId } from "./types.ts";

const nodeIdPattern = /^[0-9a-f]{32}$/;

/**
 * The id of whoever holds this raw Ed25519 public key.
 * @throws {IdentityError} IDENTITY_KEY_INVALID not 32 bytes
 */
export function nodeIdFromPublicKey(publicKey: Uint8Array): NodeId {
  if (publicKey.length !== 32) {
    throw new IdentityError(
      "IDENTITY_KEY_INVALID",
      `a raw Ed25519 public key has 32 bytes, this one has ${publicKey.length}`,
      { length: publicKey.length },
    );
  }
  return hash("sha256", publicKey, "hex").slice(0, 32);
}

/** Whether it is 32 lower-case hex characters. */
export function isNodeId(text: string): boolean {
  return nodeIdPattern.test(text);
}

/**
 * A node id from text somebody else wrote.
 * @throws {IdentityError} IDENTITY_ID_INVALID not 32 lower-case hex characters
 */
export function parseNodeId(text: string): NodeId {
  if (!isNodeId(text)) {
    throw new IdentityError(
      "IDENTITY_ID_INVALID",
      `"${text.slice(0, 64)}" is not a node id: 32 lower-case hex characters are needed`,
    );
  }
  return text;
}

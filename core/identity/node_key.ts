import {
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  sign,
} from "node:crypto";
import { errorText } from "../errors/mod.ts";
import { createFileOnce } from "./atomic_file.ts";
import { IdentityError } from "./errors.ts";
import { nodeIdFromPublicKey } from "./node_id.ts";
import type { NodeId, NodeKey } from "./types.ts";

const maxKeyFileBytes = 4096;

class Ed25519NodeKey implements NodeKey {
  readonly id: NodeId;
  readonly publicKey: Uint8Array;
  readonly #key: KeyObject;
  readonly #pem: string;

  constructor(key: KeyObject, pem: string) {
    const spki = createPublicKey(key).export({ format: "der", type: "spki" });
    this.publicKey = new Uint8Array(spki.subarray(-32));
    this.id = nodeIdFromPublicKey(this.publicKey);
    this.#key = key;
    this.#pem = pem;
  }

  /** Behind a getter, so that logging or cloning the object does not spill it. */
  get privateKeyPem(): string {
    return this.#pem;
  }

  sign(message: Uint8Array): Uint8Array {
    const signature = sign(null, message, this.#key);
    return new Uint8Array(signature.buffer, signature.byteOffset, signature.length);
  }
}

/** A new key that exists in memory only. */
export function generateNodeKey(): NodeKey {
  const { privateKey } = generateKeyPairSync("ed25519");
  return new Ed25519NodeKey(
    privateKey,
    String(privateKey.export({ format: "pem", type: "pkcs8" })),
  );
}

/**
 * A key from PKCS#8 PEM.
 * @param source named in the error, usually a path
 * @throws {IdentityError} IDENTITY_KEY_INVALID truncated, not PEM, or not an Ed25519 key
 */
export function nodeKeyFromPem(pem: string, source = "the key"): NodeKey {
  if (!pem.includes("-----BEGIN PRIVATE KEY-----")) {
    throw invalid(source, "there is no PEM block PRIVATE KEY (PKCS#8) in it");
  }
  if (!pem.includes("-----END PRIVATE KEY-----")) throw invalid(source, "it is truncated");
  let key: KeyObject;
  try {
    key = createPrivateKey(pem);
  } catch (error) {
    throw invalid(source, errorText(error), error);
  }
  if (key.asymmetricKeyType !== "ed25519") {
    throw invalid(source, `it holds a key of type ${key.asymmetricKeyType}, Ed25519 is needed`);
  }
  return new Ed25519NodeKey(key, pem);
}

/**
 * Reads an Ed25519 PKCS#8 PEM file that only its owner can read.
 * @throws {IdentityError} IDENTITY_KEY_MISSING, IDENTITY_KEY_UNREADABLE, IDENTITY_KEY_MODE, IDENTITY_KEY_INVALID
 */
export async function loadNodeKey(path: string): Promise<NodeKey> {
  return nodeKeyFromPem(await readSecretFile(path), path);
}

/**
 * Reads the key, or makes one when there is none. Two processes that start at once end up with the same key.
 * @throws {IdentityError} as `loadNodeKey`, except IDENTITY_KEY_MISSING
 */
export async function loadOrCreateNodeKey(path: string): Promise<NodeKey> {
  try {
    return await loadNodeKey(path);
  } catch (error) {
    if (!(error instanceof IdentityError && error.code === "IDENTITY_KEY_MISSING")) throw error;
  }
  const key = generateNodeKey();
  try {
    const created = await createFileOnce(path, new TextEncoder().encode(key.privateKeyPem), {
      mode: 0o600,
    });
    if (created) return key;
  } catch (error) {
    throw new IdentityError(
      "IDENTITY_KEY_UNREADABLE",
      `the key ${path} could not be written: ${errorText(error)}`,
      { path },
      error,
    );
  }
  return await loadNodeKey(path);
}

async function readSecretFile(path: string): Promise<string> {
  try {
    using file = await Deno.open(path, { read: true });
    const info = await file.stat();
    if (info.mode !== null && (info.mode & 0o077) !== 0) {
      const mode = (info.mode & 0o777).toString(8).padStart(4, "0");
      throw new IdentityError(
        "IDENTITY_KEY_MODE",
        `the key ${path} has mode ${mode}, others could read it: run "chmod 600 ${path}"`,
        { path, mode },
      );
    }
    if (info.size > maxKeyFileBytes) {
      throw invalid(path, `${info.size} bytes is too large for a key`);
    }
    const bytes = new Uint8Array(info.size);
    let length = 0;
    while (length < bytes.length) {
      const count = await file.read(bytes.subarray(length));
      if (count === null) break;
      length += count;
    }
    return new TextDecoder().decode(bytes.subarray(0, length));
  } catch (error) {
    if (error instanceof IdentityError) throw error;
    if (error instanceof Deno.errors.NotFound) {
      throw new IdentityError(
        "IDENTITY_KEY_MISSING",
        `there is no key at ${path}`,
        { path },
        error,
      );
    }
    throw new IdentityError(
      "IDENTITY_KEY_UNREADABLE",
      `the key ${path} cannot be read: ${errorText(error)}`,
      { path },
      error,
    );
  }
}

function invalid(source: string, why: string, cause?: unknown): IdentityError {
  return new IdentityError(
    "IDENTITY_KEY_INVALID",
    `${source} is not a usable Ed25519 key: ${why}. Restore it from a backup; without one, remove it to start anew under a new identity`,
    { path: source },
    cause,
  );
}

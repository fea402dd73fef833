import { hash } from "node:crypto";
import { z } from "zod";
import { verifyEd25519 } from "../identity/ed25519.ts";
import { isNetworkName } from "../identity/network_name.ts";
import { isNodeId } from "../identity/node_id.ts";
import type { Trust, TrustAnchor } from "../identity/types.ts";
import { ByteReader, concatBytes, uintBytes } from "./byte_reader.ts";
import { isMeshCidr } from "./cidr.ts";
import { NetConfigError } from "./errors.ts";
import { maxCounter, maxGrantBytes, maxSignedGrantBytes } from "./limits.ts";
import type { ScribeGrant } from "./types.ts";

/** A grant that is the CA's, with the bytes that prove it. Only `verifyGrant()` makes one. */
export interface SignedGrant {
  readonly grant: ScribeGrant;
  /** `u16 length | JSON | Ed25519 signature 64`, passed on unchanged. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** SHA-256 of the JSON, hex. */
  readonly hash: string;
}

/** Keeps these signatures apart from every other thing a CA's key signs. */
const domain = new TextEncoder().encode("pulse scribe grant v1\0");

const schema = z.object({
  network: z.string().refine(isNetworkName),
  epoch: z.int().min(1).max(maxCounter),
  scribe: z.string().refine(isNodeId).nullable(),
  sealKey: z.string().regex(/^[0-9a-f]{64}$/),
  issuedAt: z.int().min(0),
  base: z.object({
    epoch: z.int().min(1).max(maxCounter),
    version: z.int().min(1).max(maxCounter),
    hash: z.string().regex(/^[0-9a-f]{64}$/),
  }).nullable(),
  meshCidr: z.string().refine(isMeshCidr).optional(),
});

/** A grant signed by the CA. @param sign with the CA's key */
export function signGrant(
  grant: ScribeGrant,
  sign: (message: Uint8Array) => Uint8Array,
): Uint8Array<ArrayBuffer> {
  const json = new TextEncoder().encode(JSON.stringify(schema.parse(grant)));
  return concatBytes(uintBytes(json.length, 2), json, sign(concatBytes(domain, json)));
}

/**
 * The only way to a `SignedGrant`. The input is copied.
 * @throws {NetConfigError} NETCONFIG_MALFORMED, NETCONFIG_GRANT, NETCONFIG_RETIRED, NETCONFIG_NETWORK
 */
export function verifyGrant(
  bytes: Uint8Array,
  options: Pick<Trust, "anchors"> & Partial<Trust> & { readonly network: string },
): SignedGrant {
  if (bytes.length > maxSignedGrantBytes) throw malformed("is too long");
  const copy = bytes.slice();
  const reader = new ByteReader(copy, "the scribe grant");
  const json = reader.sized(2, maxGrantBytes);
  const signature = reader.take(64);
  reader.end();
  const message = concatBytes(domain, json);
  const signs = ({ publicKey }: TrustAnchor) => verifyEd25519(publicKey, message, signature);
  if (!options.anchors.some(signs)) {
    if (options.retired?.some(signs)) {
      throw new NetConfigError(
        "NETCONFIG_RETIRED",
        "the scribe grant is signed by a CA that this network has retired",
      );
    }
    throw new NetConfigError(
      "NETCONFIG_GRANT",
      "the scribe grant is not signed by this network's CA",
    );
  }
  const grant = parseGrant(json);
  if (grant.network !== options.network) {
    throw new NetConfigError(
      "NETCONFIG_NETWORK",
      `the scribe grant is for network "${grant.network}", this is network "${options.network}"`,
      { network: grant.network },
    );
  }
  return { grant, bytes: copy, hash: hash("sha256", json, "hex") };
}

function parseGrant(json: Uint8Array): ScribeGrant {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(json));
  } catch {
    // What is wrong inside bytes that the CA signed helps nobody.
    throw malformed("is not JSON");
  }
  const result = schema.safeParse(value);
  if (!result.success) throw malformed(result.error.issues[0]!.message);
  return result.data;
}

function malformed(why: string): NetConfigError {
  return new NetConfigError("NETCONFIG_MALFORMED", `the scribe grant ${why}`);
}

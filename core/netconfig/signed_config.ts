import { validateCertificate } from "../identity/certificate.ts";
import { verifyEd25519 } from "../identity/ed25519.ts";
import { CertificateError } from "../identity/errors.ts";
import type { NodeCertificate, TrustAnchor } from "../identity/types.ts";
import { ByteReader, concatBytes, uintBytes } from "./byte_reader.ts";
import { documentHash, parseDocument } from "./document.ts";
import { NetConfigError } from "./errors.ts";
import { type SignedGrant, verifyGrant } from "./grant.ts";
import {
  configLimits,
  maxAuthorCertificateBytes,
  maxSignedConfigBytes,
  maxSignedGrantBytes,
} from "./limits.ts";
import type { ConfigDocument } from "./types.ts";

/** A config everything about which was checked, with the bytes that prove it. Only `verifySignedConfig()` makes one. */
export interface SignedConfig {
  /** Null when the config is vouched for by a newer grant, and its own is of a CA that no longer counts. */
  readonly grant: SignedGrant | null;
  readonly document: ConfigDocument;
  /** SHA-256 of the document's bytes, hex. */
  readonly hash: string;
  /**
   * `format 1 | u16 grant | u16 certificate | u32 document | Ed25519 signature 64`, each part behind its length; passed on and kept
   * unchanged.
   */
  readonly bytes: Uint8Array<ArrayBuffer>;
}

export interface ConfigTrust {
  readonly network: string;
  /** The CA, and during a roll the other one. */
  readonly anchors: readonly TrustAnchor[];
  /** CAs that counted once. */
  readonly retired?: readonly TrustAnchor[];
}

const format = 1;
/** Keeps these signatures apart from every other thing a node's key signs. */
const domain = new TextEncoder().encode("pulse network config v1\0");

/** A config as it travels. The document is what `encodeDocument()` wrote. */
export function signConfig(parts: {
  readonly grant: SignedGrant;
  readonly certificate: NodeCertificate;
  readonly document: Uint8Array;
  readonly sign: (message: Uint8Array) => Uint8Array;
}): Uint8Array<ArrayBuffer> {
  const { grant, certificate, document, sign } = parts;
  return concatBytes(
    uintBytes(format, 1),
    uintBytes(grant.bytes.length, 2),
    grant.bytes,
    uintBytes(certificate.der.length, 2),
    certificate.der,
    uintBytes(document.length, 4),
    document,
    sign(concatBytes(domain, document)),
  );
}

/**
 * Checks all of it: the CA's grant, the author against it, the author's certificate, the signature, every value. A certificate's
 * dates do not matter: what was signed while it was valid holds after it has expired. The input is copied.
 * @param vouched hash of a document that a grant of the CA names: it holds whoever signed it, for a CA that has been retired since cannot
 *   prove its scribe any more
 * @throws {NetConfigError}
 */
export function verifySignedConfig(
  bytes: Uint8Array,
  trust: ConfigTrust,
  vouched?: string,
): SignedConfig {
  if (bytes.length > maxSignedConfigBytes) {
    throw new NetConfigError("NETCONFIG_MALFORMED", "the signed config is too long");
  }
  const copy = bytes.slice();
  const reader = new ByteReader(copy, "the signed config");
  const version = reader.uint(1);
  if (version !== format) {
    throw new NetConfigError(
      "NETCONFIG_MALFORMED",
      `the signed config has format ${version}, this version knows ${format}: update pulse`,
    );
  }
  const grantBytes = reader.sized(2, maxSignedGrantBytes);
  const certificateBytes = reader.sized(2, maxAuthorCertificateBytes);
  const documentBytes = reader.sized(4, configLimits.documentBytes);
  const signature = reader.take(64);
  reader.end();
  const hash = documentHash(documentBytes);
  const signed = concatBytes(domain, documentBytes);
  let grant: SignedGrant | null;
  try {
    grant = verifyGrant(grantBytes, trust);
    const { id, publicKey } = author(certificateBytes, grant, trust);
    if (!verifyEd25519(publicKey, signed, signature)) {
      throw new NetConfigError(
        "NETCONFIG_SIGNATURE",
        `the network config is not signed by ${id}, whose certificate it carries`,
      );
    }
  } catch (error) {
    if (hash !== vouched || !isOfAnotherCa(error)) throw error;
    grant = null;
  }
  const document = parseDocument(documentBytes);
  checkNetwork(document, trust.network);
  if (grant !== null) checkGranted(document, grant);
  return { grant, document, hash, bytes: copy };
}

function isOfAnotherCa(error: unknown): boolean {
  return error instanceof NetConfigError &&
    /^NETCONFIG_(?:RETIRED|GRANT|CERTIFICATE)$/.test(error.code);
}

function author(der: Uint8Array, grant: SignedGrant, trust: ConfigTrust): NodeCertificate {
  const { network, anchors, retired = [] } = trust;
  const { epoch, scribe } = grant.grant;
  let certificate: NodeCertificate;
  try {
    const options = { now: 0, network, ignoreDates: true };
    certificate = validateCertificate(der, { anchors, retired }, options);
  } catch (error) {
    if (!(error instanceof CertificateError)) throw error;
    throw new NetConfigError(
      "NETCONFIG_CERTIFICATE",
      "the certificate of the network config's author is not of this network's CA",
      {},
      error,
    );
  }
  if (certificate.id === scribe) return certificate;
  throw new NetConfigError(
    "NETCONFIG_AUTHOR",
    `the network config is signed by ${certificate.id}; the CA granted epoch ${epoch} to ${
      scribe ?? "nobody"
    }`,
    { author: certificate.id, scribe },
  );
}

function checkNetwork(document: ConfigDocument, network: string): void {
  if (document.network === network) return;
  throw new NetConfigError(
    "NETCONFIG_NETWORK",
    `the network config is for network "${document.network}", this is network "${network}"`,
    { network: document.network },
  );
}

function checkGranted(document: ConfigDocument, { grant }: SignedGrant): void {
  if (document.epoch !== grant.epoch) {
    throw new NetConfigError(
      "NETCONFIG_EPOCH",
      `the network config says epoch ${document.epoch}, its grant ${grant.epoch}`,
      { epoch: document.epoch, granted: grant.epoch },
    );
  }
  if (document.author !== grant.scribe) {
    throw new NetConfigError(
      "NETCONFIG_AUTHOR",
      `the network config names ${document.author} as its author, the CA granted epoch ${grant.epoch} to ${grant.scribe}`,
      { author: document.author, scribe: grant.scribe },
    );
  }
}

import { join } from "node:path";
import { errorText } from "../errors/mod.ts";
import { removeStaleTemporaries, writeFileAtomic } from "./atomic_file.ts";
import { validateCertificate } from "./certificate.ts";
import { CertificateError, IdentityError } from "./errors.ts";
import { loadNodeKey } from "./node_key.ts";
import { derToPem, pemBlocks } from "./pem.ts";
import { equalBytes, trustAnchorFromDer } from "./trust_anchor.ts";
import type { Credentials, NodeKey, TrustAnchor } from "./types.ts";

/** Files in a node's data directory that make up its identity. */
export const identityFiles = {
  key: "identity.key",
  certificate: "identity.crt",
  anchor: "ca.crt",
} as const;

export interface LoadCredentialsOptions {
  /** Wall clock, milliseconds since the epoch. */
  readonly now: number;
  /** Refuse credentials of another network. */
  readonly network?: string;
  /** Load an expired certificate too, to show it or to say why the node must join again. */
  readonly ignoreDates?: boolean;
}

/**
 * What the node proves itself with, or null when it has not joined.
 *
 * `identity.crt` written by `storeCredentials` holds the certificate *and* its CA, so one rename replaces both; `ca.crt` is a
 * copy for people and tools, repaired here when a crash came between. An `identity.crt` that holds a certificate alone
 * (signed offline) takes its CA from `ca.crt`.
 * @throws {IdentityError} IDENTITY_KEY_*, IDENTITY_MISMATCH, IDENTITY_FILE_MISSING, IDENTITY_FILE_UNREADABLE
 * @throws {CertificateError} a file is truncated, or the certificate is not valid; the message starts with the path
 */
export async function loadCredentials(
  dataDir: string,
  options: LoadCredentialsOptions,
): Promise<Credentials | null> {
  const paths = credentialPaths(dataDir);
  const certificateText = await readText(paths.certificate);
  const anchorText = await readText(paths.anchor);
  if (certificateText === null) {
    if (anchorText === null) return null;
    throw new IdentityError(
      "IDENTITY_FILE_MISSING",
      `${paths.anchor} is there but ${paths.certificate} is not: restore it, or remove ca.crt and join again`,
      { path: paths.certificate },
    );
  }
  const [leaf, bundled] = readBlocks(certificateText, paths.certificate);
  if (leaf === undefined) throw empty(paths.certificate);
  const anchor = bundled !== undefined
    ? inFile(paths.certificate, () => trustAnchorFromDer(bundled))
    : anchorFromFile(anchorText, paths);
  const credentials = checkPair(await loadNodeKey(paths.key), leaf, anchor, paths, options);
  if (bundled !== undefined && anchorText !== anchor.pem) {
    await writeFileAtomic(paths.anchor, anchor.pem, { mode: 0o644 });
  }
  return credentials;
}

/**
 * Stores what a join or a renewal gave. After a crash at any point the node has either the old credentials or the new.
 * Refuses what `loadCredentials` would refuse, dates aside.
 * @throws {IdentityError} IDENTITY_KEY_*, IDENTITY_MISMATCH
 * @throws {CertificateError}
 */
export async function storeCredentials(
  dataDir: string,
  pair: { readonly certificatePem: string; readonly anchorPem: string },
): Promise<void> {
  const paths = credentialPaths(dataDir);
  const [leaf] = readBlocks(pair.certificatePem, "the new certificate");
  const [root] = readBlocks(pair.anchorPem, "the new CA certificate");
  if (leaf === undefined) throw empty("the new certificate");
  if (root === undefined) throw empty("the new CA certificate");
  const anchor = inFile("the new CA certificate", () => trustAnchorFromDer(root));
  checkPair(await loadNodeKey(paths.key), leaf, anchor, paths, { now: 0, ignoreDates: true });
  await writeFileAtomic(paths.certificate, derToPem(leaf) + anchor.pem, { mode: 0o644 });
  await writeFileAtomic(paths.anchor, anchor.pem, { mode: 0o644 });
  await removeStaleTemporaries(paths.certificate, Date.now());
  await removeStaleTemporaries(paths.anchor, Date.now());
}

interface CredentialPaths {
  readonly key: string;
  readonly certificate: string;
  readonly anchor: string;
}

function credentialPaths(dataDir: string): CredentialPaths {
  return {
    key: join(dataDir, identityFiles.key),
    certificate: join(dataDir, identityFiles.certificate),
    anchor: join(dataDir, identityFiles.anchor),
  };
}

function checkPair(
  key: NodeKey,
  leaf: Uint8Array,
  anchor: TrustAnchor,
  paths: CredentialPaths,
  options: LoadCredentialsOptions,
): Credentials {
  const certificate = inFile(paths.certificate, () => validateCertificate(leaf, anchor, options));
  if (!equalBytes(certificate.publicKey, key.publicKey)) {
    throw new IdentityError(
      "IDENTITY_MISMATCH",
      `the certificate ${paths.certificate} is of node ${certificate.id}, but the key ${paths.key} is of node ${key.id}: restore the pair that belongs together, or remove the certificate and join again`,
      { certificate: certificate.id, key: key.id },
    );
  }
  return { key, certificate, anchor };
}

function anchorFromFile(text: string | null, paths: CredentialPaths): TrustAnchor {
  if (text === null) {
    throw new IdentityError(
      "IDENTITY_FILE_MISSING",
      `${paths.certificate} is there but ${paths.anchor} is not: restore it, or remove identity.crt and join again`,
      { path: paths.anchor },
    );
  }
  const [root] = readBlocks(text, paths.anchor);
  if (root === undefined) throw empty(paths.anchor);
  return inFile(paths.anchor, () => trustAnchorFromDer(root));
}

async function readText(path: string): Promise<string | null> {
  try {
    return await Deno.readTextFile(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return null;
    throw new IdentityError(
      "IDENTITY_FILE_UNREADABLE",
      `${path} cannot be read: ${errorText(error)}`,
      { path },
      error,
    );
  }
}

function readBlocks(text: string, path: string): Uint8Array[] {
  return inFile(path, () => pemBlocks(text));
}

function empty(path: string): CertificateError {
  return new CertificateError("CERT_MALFORMED", `${path}: there is no PEM certificate in it`);
}

/** Puts the file's name in front of what is wrong with its contents. */
function inFile<T>(path: string, check: () => T): T {
  try {
    return check();
  } catch (error) {
    if (!(error instanceof CertificateError)) throw error;
    throw new CertificateError(error.code, `${path}: ${error.message}`, error.fields, error);
  }
}

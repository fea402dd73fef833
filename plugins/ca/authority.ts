import { join } from "node:path";
import { errorText } from "../../core/errors/mod.ts";
import { createFileOnce } from "../../core/identity/atomic_file.ts";
import {
  buildCaCertificate,
  buildNodeCertificate,
  randomSerial,
} from "../../core/identity/certificate_builder.ts";
import { parseCertificateFields } from "../../core/identity/certificate_fields.ts";
import {
  CertificateError,
  IdentityError,
  loadNodeKey,
  loadOrCreateNodeKey,
  type NodeCertificate,
  type NodeKey,
  parseTrustAnchor,
  type Role,
  type TrustAnchor,
  validateCertificate,
  verifyCsr,
} from "../../core/identity/mod.ts";
import { derToPem } from "../../core/identity/pem.ts";
import { anchorDetails, equalBytes } from "../../core/identity/trust_anchor.ts";
import { type ScribeGrant, signGrant } from "../../core/netconfig/mod.ts";
import { type CaRoll, signRoll } from "../../core/trust/mod.ts";
import { CaError } from "./errors.ts";

const dayMs = 86_400_000;
/** Clocks of nodes may be this much behind the CA's. */
const backdateMs = 5 * 60_000;
const caDays = 3650;

/** Lifetime of node certificates in days. */
export const defaultNodeDays = 90;

export interface IssueRequest {
  /** DER; its own signature proves that the node holds the key. */
  readonly csr: Uint8Array;
  /** When given, the CSR has to be for this raw key. */
  readonly publicKey?: Uint8Array;
  readonly network: string;
  /** IPv4, IPv6. */
  readonly meshAddresses: readonly string[];
  readonly roles: readonly Role[];
  /** Wall clock, ms. */
  readonly now: number;
  /** @default 90 */
  readonly days?: number;
}

/** The CA's key and certificate. It signs; what may be signed is decided elsewhere. */
export class Authority {
  readonly anchor: TrustAnchor;
  readonly #key: NodeKey;

  constructor(key: NodeKey, anchor: TrustAnchor) {
    this.#key = key;
    this.anchor = anchor;
  }

  /** Whether a certificate of the ledger is of this CA: each has a name of its own. */
  issued(der: Uint8Array): boolean {
    return equalBytes(parseCertificateFields(der).issuer, anchorDetails(this.anchor).subject);
  }

  /** The word on this CA being succeeded by another one, signed by both. */
  roll(roll: CaRoll, successor: Authority): Uint8Array<ArrayBuffer> {
    const signer = (authority: Authority) => ({
      anchor: authority.anchor,
      sign: (message: Uint8Array) => authority.#key.sign(message),
    });
    return signRoll(roll, signer(this), signer(successor));
  }

  /** A scribe grant, signed. */
  grant(grant: ScribeGrant): Uint8Array<ArrayBuffer> {
    return signGrant(grant, (message) => this.#key.sign(message));
  }

  /**
   * A certificate for the key in the CSR, checked as every node will check it.
   * @throws {CertificateError} CERT_REQUEST; CERT_EXPIRED the CA's own certificate has expired
   */
  issue(request: IssueRequest): NodeCertificate {
    const { now, network } = request;
    const wanted = verifyCsr(request.csr);
    if (request.publicKey !== undefined && !sameKey(request.publicKey, wanted.publicKey)) {
      throw new CertificateError("CERT_REQUEST", "the certificate request is for another key");
    }
    if (wanted.network !== network) {
      throw new CertificateError(
        "CERT_REQUEST",
        `the certificate request is for network "${wanted.network}", this CA serves "${network}"`,
      );
    }
    const der = buildNodeCertificate({
      serial: randomSerial(),
      issuer: anchorDetails(this.anchor).subject,
      issuerKey: this.anchor.publicKey,
      id: wanted.id,
      network,
      publicKey: wanted.publicKey,
      notBefore: now - backdateMs,
      notAfter: Math.min(
        now + (request.days ?? defaultNodeDays) * dayMs,
        this.anchor.notAfter,
      ),
      meshAddresses: request.meshAddresses,
      roles: request.roles,
    }, (message) => this.#key.sign(message));
    return validateCertificate(der, this.anchor, { now, network, expect: wanted.id });
  }
}

/** Files of a CA in its directory. @param generation 1 for the first; each roll makes the next */
export function authorityFiles(
  generation = 1,
): { readonly key: string; readonly certificate: string } {
  const name = generation === 1 ? "ca" : `ca-${generation}`;
  return { key: `${name}.key`, certificate: `${name}.crt` };
}

/**
 * Loads the CA in this directory, or makes a new one where there is none. The key is written first, so a crash between the two
 * files leaves a key from which the next start makes the certificate.
 * @param wanted `existing`: never make one
 * @throws {IdentityError} IDENTITY_KEY_* the key file cannot be used
 * @throws {CaError} CA_KEY_MISSING, CA_CERTIFICATE_INVALID, CA_MISMATCH, CA_DIRECTORY
 */
export async function openAuthority(
  directory: string,
  now: number,
  generation = 1,
  wanted: "existing" | "any" = "any",
): Promise<Authority> {
  const files = authorityFiles(generation);
  const keyPath = join(directory, files.key);
  const certificatePath = join(directory, files.certificate);
  const existing = await readCertificate(certificatePath);
  if (existing !== null) {
    return pair(await loadCaKey(keyPath, certificatePath), existing, directory, files);
  }
  if (wanted === "existing") {
    throw new CaError(
      "CA_CERTIFICATE_INVALID",
      `the CA certificate ${certificatePath} is missing: restore the whole directory from one backup`,
      { path: certificatePath },
    );
  }

  const key = await loadOrCreateNodeKey(keyPath);
  const der = buildCaCertificate({
    name: generation === 1 ? "pulse-ca" : `pulse-ca ${generation}`,
    serial: randomSerial(),
    publicKey: key.publicKey,
    notBefore: now - backdateMs,
    notAfter: now + caDays * dayMs,
  }, (message) => key.sign(message));
  try {
    await createFileOnce(certificatePath, derToPem(der), { mode: 0o644 });
  } catch (error) {
    throw unusableDirectory(directory, error);
  }
  // Read back: when another process was quicker, its certificate is the CA.
  const written = await readCertificate(certificatePath);
  if (written === null) throw unusableDirectory(directory, `${certificatePath} has vanished`);
  return pair(key, written, directory, files);
}

async function readCertificate(path: string): Promise<TrustAnchor | null> {
  let text: string;
  try {
    text = await Deno.readTextFile(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return null;
    throw new CaError(
      "CA_CERTIFICATE_INVALID",
      `the CA certificate ${path} cannot be read: ${errorText(error)}`,
      { path },
      error,
    );
  }
  try {
    return parseTrustAnchor(text);
  } catch (error) {
    throw new CaError(
      "CA_CERTIFICATE_INVALID",
      `the CA certificate ${path} cannot be used: ${errorText(error)}. Restore it from a backup`,
      { path },
      error,
    );
  }
}

async function loadCaKey(keyPath: string, certificatePath: string): Promise<NodeKey> {
  try {
    return await loadNodeKey(keyPath);
  } catch (error) {
    if (!(error instanceof IdentityError && error.code === "IDENTITY_KEY_MISSING")) throw error;
    throw new CaError(
      "CA_KEY_MISSING",
      `there is a CA certificate ${certificatePath} but no key ${keyPath}: restore the key from a backup. Nodes trust this CA only`,
      { path: keyPath },
      error,
    );
  }
}

function pair(
  key: NodeKey,
  anchor: TrustAnchor,
  directory: string,
  files: ReturnType<typeof authorityFiles>,
): Authority {
  if (!sameKey(key.publicKey, anchor.publicKey)) {
    throw new CaError(
      "CA_MISMATCH",
      `${files.key} and ${files.certificate} in ${directory} do not belong together: restore both from the same backup`,
      { directory },
    );
  }
  return new Authority(key, anchor);
}

function sameKey(a: Uint8Array, b: Uint8Array): boolean {
  return a.toHex() === b.toHex();
}

function unusableDirectory(directory: string, cause: unknown): CaError {
  return new CaError(
    "CA_DIRECTORY",
    `the CA cannot be written to ${directory}: ${errorText(cause)}`,
    { directory },
    cause,
  );
}

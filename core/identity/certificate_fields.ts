import { generalName, type SubjectAltNames } from "./certificate_extensions.ts";
import { asciiText, DerError, DerReader } from "./der_reader.ts";
import { derTag } from "./der_writer.ts";
import { CertificateError } from "./errors.ts";
import { oids } from "./oids.ts";

/** Node certificates have about 600 bytes; more than this is not one. */
export const maxCertificateBytes = 4096;

/** An X.509 certificate taken apart, nothing of it believed yet. Byte fields point into `der`. */
export interface CertificateFields {
  readonly der: Uint8Array;
  readonly tbs: Uint8Array;
  /** Lower-case hex. */
  readonly serial: string;
  /** DER Names. */
  readonly issuer: Uint8Array;
  readonly subject: Uint8Array;
  readonly notBefore: number;
  readonly notAfter: number;
  /** Raw Ed25519 key. */
  readonly publicKey: Uint8Array;
  readonly signature: Uint8Array;
  /** Null when the extension is absent. */
  readonly ca: boolean | null;
  readonly keyUsage: number | null;
  readonly extendedKeyUsage: readonly string[] | null;
  readonly names: SubjectAltNames | null;
  /** OIDs (hex of the contents) of critical extensions nobody here understands. */
  readonly unknownCritical: readonly string[];
}

/**
 * Copies and parses a certificate.
 * @throws {CertificateError} CERT_MALFORMED too large, not DER, not X.509 v3; CERT_KEY, CERT_SIGNATURE another algorithm than Ed25519
 */
export function parseCertificateFields(input: Uint8Array): CertificateFields {
  if (input.length > maxCertificateBytes) {
    throw new CertificateError(
      "CERT_MALFORMED",
      `a certificate of ${input.length} bytes is over the limit of ${maxCertificateBytes}`,
      { length: input.length },
    );
  }
  try {
    return parse(input.slice());
  } catch (error) {
    if (!(error instanceof DerError)) throw error;
    throw new CertificateError(
      "CERT_MALFORMED",
      `not a certificate: ${error.message}`,
      {},
      error,
    );
  }
}

function parse(der: Uint8Array): CertificateFields {
  const outer = new DerReader(der);
  const certificate = outer.enter(derTag.sequence, "the certificate");
  outer.end("the certificate");
  const { whole: tbs, content } = certificate.expect(derTag.sequence, "the signed part");
  const outerAlgorithm = readAlgorithm(certificate, "the signature algorithm");
  if (outerAlgorithm !== oids.ed25519) throw notEd25519("CERT_SIGNATURE", "signed");
  const signature = certificate.bits(64, "the signature");
  certificate.end("the signature");

  const fields = new DerReader(content);
  const version = fields.enter(0xa0, "the version");
  if (version.unsigned("the version")[0] !== 2) throw new DerError("it is not X.509 version 3");
  version.end("the version");
  const serial = fields.unsigned("the serial number").toHex();
  if (readAlgorithm(fields, "the inner signature algorithm") !== outerAlgorithm) {
    throw new DerError("its two signature algorithms differ");
  }
  const issuer = fields.expect(derTag.sequence, "the issuer").whole;
  const validity = fields.enter(derTag.sequence, "the validity");
  const notBefore = validity.time("notBefore");
  const notAfter = validity.time("notAfter");
  validity.end("the validity");
  const subject = fields.expect(derTag.sequence, "the subject").whole;
  const publicKey = readPublicKey(fields);
  const extensions = readExtensions(fields.enter(0xa3, "the extensions"));
  fields.end("the extensions");
  return {
    der,
    tbs,
    serial,
    issuer,
    subject,
    notBefore,
    notAfter,
    publicKey,
    signature,
    ...extensions,
  };
}

function notEd25519(code: "CERT_SIGNATURE" | "CERT_KEY", what: string): CertificateError {
  return new CertificateError(code, `the certificate is not ${what} with Ed25519`);
}

/** RFC 8410: Ed25519 has no parameters. Gives the OID; parameters of others are left unread and refused. */
export function readAlgorithm(reader: DerReader, what: string): string {
  const algorithm = reader.enter(derTag.sequence, what);
  const oid = algorithm.oid(what);
  if (oid === oids.ed25519) algorithm.end(what);
  return oid;
}

/** Raw key out of a SubjectPublicKeyInfo. */
export function readPublicKey(reader: DerReader): Uint8Array {
  const info = reader.enter(derTag.sequence, "the public key");
  if (readAlgorithm(info, "the key algorithm") !== oids.ed25519) {
    throw notEd25519("CERT_KEY", "for a key made");
  }
  const key = info.bits(32, "the public key");
  info.end("the public key");
  return key;
}

type Extensions = Pick<
  CertificateFields,
  "ca" | "keyUsage" | "extendedKeyUsage" | "names" | "unknownCritical"
>;

function readExtensions(wrapper: DerReader): Extensions {
  const list = wrapper.enter(derTag.sequence, "the extensions");
  wrapper.end("the extensions");
  const seen = new Set<string>();
  let ca: boolean | null = null;
  let keyUsage: number | null = null;
  let extendedKeyUsage: string[] | null = null;
  let names: SubjectAltNames | null = null;
  const unknownCritical: string[] = [];
  while (!list.atEnd) {
    const entry = list.enter(derTag.sequence, "an extension");
    const oid = entry.oid("an extension's name");
    const critical = entry.nextTag === derTag.boolean && entry.boolean("a critical flag");
    const value = new DerReader(entry.expect(derTag.octetString, "an extension's value").content);
    entry.end("an extension");
    if (seen.has(oid)) throw new DerError("an extension occurs twice");
    seen.add(oid);
    if (oid === oids.basicConstraints) ca = readBasicConstraints(value);
    else if (oid === oids.keyUsage) keyUsage = readKeyUsage(value);
    else if (oid === oids.extendedKeyUsage) extendedKeyUsage = readUsages(value);
    else if (oid === oids.subjectAltName) names = readNames(value);
    else if (critical) unknownCritical.push(oid);
  }
  return { ca, keyUsage, extendedKeyUsage, names, unknownCritical };
}

function readBasicConstraints(value: DerReader): boolean {
  const constraints = value.enter(derTag.sequence, "basicConstraints");
  value.end("basicConstraints");
  const ca = constraints.nextTag === derTag.boolean && constraints.boolean("the CA flag");
  if (constraints.nextTag === derTag.integer) constraints.unsigned("pathLenConstraint");
  constraints.end("basicConstraints");
  return ca;
}

function readKeyUsage(value: DerReader): number {
  const content = value.expect(derTag.bitString, "keyUsage").content;
  value.end("keyUsage");
  const [unused, first, second] = content;
  if (unused === undefined || first === undefined || unused > 7 || content.length > 3) {
    throw new DerError("keyUsage is not a BIT STRING of one or two bytes");
  }
  return first | ((second ?? 0) << 8);
}

function readUsages(value: DerReader): string[] {
  const list = value.enter(derTag.sequence, "extendedKeyUsage");
  value.end("extendedKeyUsage");
  const usages: string[] = [];
  while (!list.atEnd) usages.push(list.oid("a key usage"));
  return usages;
}

/** Kinds of names pulse does not use are refused: an unread name could mean something to somebody else. */
function readNames(value: DerReader): SubjectAltNames {
  const list = value.enter(derTag.sequence, "subjectAltName");
  value.end("subjectAltName");
  const dns: string[] = [];
  const ip: Uint8Array[] = [];
  const uri: string[] = [];
  while (!list.atEnd) {
    const { tag, content } = list.next("a name");
    if (tag === generalName.dns) dns.push(asciiText(content, "a DNS name"));
    else if (tag === generalName.uri) uri.push(asciiText(content, "a URI"));
    else if (tag === generalName.ip && (content.length === 4 || content.length === 16)) {
      ip.push(content);
    } else throw new DerError(`a name of kind ${tag.toString(16)} is not allowed`);
  }
  return { dns, ip, uri };
}

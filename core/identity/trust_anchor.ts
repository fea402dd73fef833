import { hash, type KeyObject } from "node:crypto";
import { keyUsageBit } from "./certificate_extensions.ts";
import { type CertificateFields, parseCertificateFields } from "./certificate_fields.ts";
import { importPublicKey, verifyWithKey } from "./ed25519.ts";
import { CertificateError } from "./errors.ts";
import { derToPem, pemToDer } from "./pem.ts";
import type { TrustAnchor } from "./types.ts";

/** What validation needs of an anchor, worked out once. */
interface AnchorDetails {
  readonly subject: Uint8Array;
  readonly key: KeyObject;
}

const details = new WeakMap<TrustAnchor, AnchorDetails>();

/**
 * The CA certificate in this PEM. Its dates are not judged here: validation of a certificate does that with the caller's clock.
 * @throws {CertificateError} CERT_MALFORMED; CERT_ANCHOR not self-signed, not a CA, not Ed25519 all through
 */
export function parseTrustAnchor(pem: string): TrustAnchor {
  return trustAnchorFromDer(pemToDer(pem));
}

/** As `parseTrustAnchor`, from DER. */
export function trustAnchorFromDer(der: Uint8Array): TrustAnchor {
  const fields = parseCertificateFields(der);
  const key = checkAnchor(fields);
  const anchor: TrustAnchor = {
    der: fields.der,
    pem: derToPem(fields.der),
    fingerprint: hash("sha256", fields.der, "hex"),
    publicKey: fields.publicKey,
    notBefore: fields.notBefore,
    notAfter: fields.notAfter,
  };
  details.set(anchor, { subject: fields.subject, key });
  return anchor;
}

/** Of an anchor made here, or of a copy that crossed a Worker boundary (checked again then). */
export function anchorDetails(anchor: TrustAnchor): AnchorDetails {
  let found = details.get(anchor);
  if (found === undefined) {
    found = details.get(trustAnchorFromDer(anchor.der))!;
    details.set(anchor, found);
  }
  return found;
}

function checkAnchor(fields: CertificateFields): KeyObject {
  const refuse = (why: string) =>
    new CertificateError("CERT_ANCHOR", `this certificate cannot be a trust anchor: ${why}`);
  const key = importPublicKey(fields.publicKey);
  if (key === null) throw refuse("its key is not a strict Ed25519 key");
  if (!equalBytes(fields.issuer, fields.subject)) throw refuse("it is not self-signed");
  if (fields.ca !== true) throw refuse("it is not a CA certificate");
  if (fields.keyUsage === null || (fields.keyUsage & keyUsageBit.keyCertSign) === 0) {
    throw refuse("its key usage does not allow signing certificates");
  }
  if (fields.unknownCritical.length > 0) throw refuse("it has an unknown critical extension");
  if (!verifyWithKey(key, fields.tbs, fields.signature)) {
    throw refuse("its own signature is not valid");
  }
  return key;
}

export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

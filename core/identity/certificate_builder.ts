import { spkiFromPublicKey } from "./ed25519.ts";
import {
  authorityKeyIdentifier,
  basicConstraints,
  extendedKeyUsage,
  keyUsage,
  keyUsageBit,
  subjectAltName,
  subjectKeyIdentifier,
} from "./certificate_extensions.ts";
import {
  derBitString,
  derOid,
  derSequence,
  derTag,
  derText,
  derTime,
  derUnsigned,
  derValue,
} from "./der_writer.ts";
import { ipToBytes } from "./ip_text.ts";
import { oids } from "./oids.ts";
import { networkServerName, type NodeId, nodeServerName, type Role } from "./types.ts";

/** Everything in a TBSCertificate that is not fixed by pulse's profile. Names and extensions are DER. */
export interface CertificateContent {
  readonly serial: Uint8Array;
  readonly issuer: Uint8Array;
  readonly subject: Uint8Array;
  readonly notBefore: number;
  readonly notAfter: number;
  readonly publicKey: Uint8Array;
  readonly extensions: readonly Uint8Array[];
}

export interface NodeCertificateContent {
  readonly serial: Uint8Array;
  /** DER Name: the anchor's subject, byte for byte. */
  readonly issuer: Uint8Array;
  readonly issuerKey: Uint8Array;
  readonly id: NodeId;
  readonly network: string;
  readonly publicKey: Uint8Array;
  readonly notBefore: number;
  readonly notAfter: number;
  /** IPv4 first, then IPv6. */
  readonly meshAddresses: readonly string[];
  readonly roles: readonly Role[];
}

type Sign = (message: Uint8Array) => Uint8Array;

const ed25519Algorithm = derSequence(derOid(oids.ed25519));

/** DER Name with one common name. */
export function commonName(text: string): Uint8Array<ArrayBuffer> {
  return derSequence(
    derValue(derTag.set, derSequence(derOid(oids.commonName), derText(derTag.utf8String, text))),
  );
}

/** A positive serial of exactly 128 bits: top bits 01, so DER needs no sign byte and no leading zero is lost. */
export function randomSerial(): Uint8Array<ArrayBuffer> {
  const serial = crypto.getRandomValues(new Uint8Array(16));
  serial[0] = (serial[0]! & 0x7f) | 0x40;
  return serial;
}

/** An X.509 v3 certificate signed with Ed25519. */
export function buildCertificate(
  content: CertificateContent,
  sign: Sign,
): Uint8Array<ArrayBuffer> {
  const tbs = derSequence(
    derValue(0xa0, derUnsigned(Uint8Array.of(2))),
    derUnsigned(content.serial),
    ed25519Algorithm,
    content.issuer,
    derSequence(derTime(content.notBefore), derTime(content.notAfter)),
    content.subject,
    spkiFromPublicKey(content.publicKey),
    derValue(0xa3, derSequence(...content.extensions)),
  );
  return derSequence(tbs, ed25519Algorithm, derBitString(sign(tbs)));
}

/** A CA's own certificate. */
export function buildCaCertificate(
  content: {
    readonly name: string;
    readonly serial: Uint8Array;
    readonly publicKey: Uint8Array;
    readonly notBefore: number;
    readonly notAfter: number;
  },
  sign: Sign,
): Uint8Array<ArrayBuffer> {
  const name = commonName(content.name);
  return buildCertificate({
    ...content,
    issuer: name,
    subject: name,
    extensions: [
      basicConstraints(true),
      keyUsage(keyUsageBit.keyCertSign | keyUsageBit.crlSign),
      subjectKeyIdentifier(content.publicKey),
    ],
  }, sign);
}

/** A node's certificate: exactly the profile `validateCertificate()` accepts. */
export function buildNodeCertificate(
  content: NodeCertificateContent,
  sign: Sign,
): Uint8Array<ArrayBuffer> {
  return buildCertificate({
    serial: content.serial,
    issuer: content.issuer,
    subject: commonName(content.id),
    notBefore: content.notBefore,
    notAfter: content.notAfter,
    publicKey: content.publicKey,
    extensions: [
      basicConstraints(false),
      keyUsage(keyUsageBit.digitalSignature),
      extendedKeyUsage([oids.clientAuth, oids.serverAuth]),
      subjectAltName({
        dns: [nodeServerName(content.id, content.network), networkServerName(content.network)],
        ip: content.meshAddresses.map(ipToBytes),
        uri: content.roles.map((role) => `pulse:role:${role}`),
      }),
      subjectKeyIdentifier(content.publicKey),
      authorityKeyIdentifier(content.issuerKey),
    ],
  }, sign);
}

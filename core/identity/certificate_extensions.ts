import { hash } from "node:crypto";
import { derOid, derSequence, derTag, derText, derValue } from "./der_writer.ts";
import { oids } from "./oids.ts";

/** DER encoders of the X.509 extensions pulse writes (RFC 5280 4.2.1). */

export function extension(
  oidHex: string,
  critical: boolean,
  value: Uint8Array,
): Uint8Array<ArrayBuffer> {
  const payload = derValue(derTag.octetString, value);
  return critical
    ? derSequence(derOid(oidHex), derValue(derTag.boolean, Uint8Array.of(0xff)), payload)
    : derSequence(derOid(oidHex), payload);
}

export function basicConstraints(ca: boolean): Uint8Array<ArrayBuffer> {
  // CA: pathLen 0, so nothing below the CA can be an issuer. FALSE is the DEFAULT and therefore left out in DER.
  const value = ca
    ? derSequence(
      derValue(derTag.boolean, Uint8Array.of(0xff)),
      derValue(derTag.integer, Uint8Array.of(0)),
    )
    : derSequence();
  return extension(oids.basicConstraints, true, value);
}

/** Bits of RFC 5280 4.2.1.3, as the first content byte holds them. */
export const keyUsageBit = { digitalSignature: 0x80, keyCertSign: 0x04, crlSign: 0x02 } as const;

export function keyUsage(bits: number): Uint8Array<ArrayBuffer> {
  const unused = bits === 0 ? 0 : Math.clz32(bits & -bits) ^ 31;
  return extension(oids.keyUsage, true, derValue(derTag.bitString, Uint8Array.of(unused, bits)));
}

export function extendedKeyUsage(usages: readonly string[]): Uint8Array<ArrayBuffer> {
  return extension(oids.extendedKeyUsage, false, derSequence(...usages.map(derOid)));
}

/** Raw names: DNS labels, 4- or 16-byte addresses, URIs, in this order. */
export interface SubjectAltNames {
  readonly dns: readonly string[];
  readonly ip: readonly Uint8Array[];
  readonly uri: readonly string[];
}

/** Context tags of GeneralName. */
export const generalName = { dns: 0x82, uri: 0x86, ip: 0x87 } as const;

export function subjectAltName(names: SubjectAltNames): Uint8Array<ArrayBuffer> {
  return extension(
    oids.subjectAltName,
    false,
    derSequence(
      ...names.dns.map((name) => derText(generalName.dns, name)),
      ...names.ip.map((address) => derValue(generalName.ip, address)),
      ...names.uri.map((uri) => derText(generalName.uri, uri)),
    ),
  );
}

/** RFC 7093 method 1: leftmost 160 bits of SHA-256 over the key. */
function keyIdentifier(publicKey: Uint8Array): Uint8Array {
  return Uint8Array.fromHex(hash("sha256", publicKey, "hex").slice(0, 40));
}

export function subjectKeyIdentifier(publicKey: Uint8Array): Uint8Array<ArrayBuffer> {
  return extension(
    oids.subjectKeyIdentifier,
    false,
    derValue(derTag.octetString, keyIdentifier(publicKey)),
  );
}

export function authorityKeyIdentifier(issuerKey: Uint8Array): Uint8Array<ArrayBuffer> {
  return extension(
    oids.authorityKeyIdentifier,
    false,
    derSequence(derValue(0x80, keyIdentifier(issuerKey))),
  );
}

/** DER (X.690) encoders for the few types an X.509 certificate needs. */

/** Tags used here and by the reader. */
export const derTag = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  oid: 0x06,
  utf8String: 0x0c,
  sequence: 0x30,
  set: 0x31,
  utcTime: 0x17,
  generalizedTime: 0x18,
} as const;

/** Tag, definite length, contents. */
export function derValue(tag: number, ...parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  let length = 0;
  for (const part of parts) length += part.length;
  const header = length < 0x80
    ? [tag, length]
    : length < 0x100
    ? [tag, 0x81, length]
    : [tag, 0x82, length >> 8, length & 0xff];
  if (length > 0xffff) throw new RangeError(`a DER value of ${length} bytes is not supported`);
  const out = new Uint8Array(header.length + length);
  out.set(header);
  let offset = header.length;
  for (const part of parts) {
    out.set(part, offset);
    offset += part.length;
  }
  return out;
}

export function derSequence(...parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  return derValue(derTag.sequence, ...parts);
}

/** Contents of an OBJECT IDENTIFIER as hex, see `oids.ts`. */
export function derOid(contentHex: string): Uint8Array<ArrayBuffer> {
  return derValue(derTag.oid, Uint8Array.fromHex(contentHex));
}

/** A non-negative INTEGER from its magnitude, big endian. */
export function derUnsigned(magnitude: Uint8Array): Uint8Array<ArrayBuffer> {
  let start = 0;
  while (start < magnitude.length - 1 && magnitude[start] === 0) start++;
  const trimmed = magnitude.subarray(start);
  const needsSignByte = trimmed.length === 0 || trimmed[0]! >= 0x80;
  return needsSignByte
    ? derValue(derTag.integer, new Uint8Array(1), trimmed)
    : derValue(derTag.integer, trimmed);
}

/** BIT STRING without unused bits. */
export function derBitString(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  return derValue(derTag.bitString, new Uint8Array(1), bytes);
}

export function derText(tag: number, text: string): Uint8Array<ArrayBuffer> {
  return derValue(tag, new TextEncoder().encode(text));
}

/** Whole seconds; UTCTime up to 2049, GeneralizedTime from 2050 (RFC 5280 4.1.2.5). */
export function derTime(epochMs: number): Uint8Array<ArrayBuffer> {
  const digits = new Date(epochMs).toISOString().replace(/\.\d+Z$/, "Z").replace(/[-:T]/g, "");
  const year = Number(digits.slice(0, 4));
  return year >= 1950 && year < 2050
    ? derText(derTag.utcTime, digits.slice(2))
    : derText(derTag.generalizedTime, digits);
}

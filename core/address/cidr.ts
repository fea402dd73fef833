import { ipToText, parseIpv4, parseIpv6 } from "./ip_text.ts";

/** A range of addresses: of 4 or of 16 bytes, the bits behind the prefix zero. */
export interface Cidr {
  readonly bytes: Uint8Array;
  readonly prefix: number;
}

/** `10.0.0.0/8`, `fd00::/8`, or one address; bits behind the prefix are ignored. Null: it is none. */
export function parseCidr(text: string): Cidr | null {
  const match = /^([0-9a-fA-F:.]+)(?:\/(\d{1,3}))?$/.exec(text);
  if (match === null) return null;
  const address = parseIpv4(match[1]!) ?? parseIpv6(match[1]!);
  if (address === null) return null;
  const bits = address.length * 8;
  const prefix = match[2] === undefined ? bits : Number(match[2]);
  return prefix > bits ? null : { bytes: maskBytes(address, prefix), prefix };
}

/** The address with everything behind the prefix zero. */
export function maskBytes(address: Uint8Array, prefix: number): Uint8Array {
  return address.map((byte, n) => {
    const bits = Math.min(8, Math.max(0, prefix - n * 8));
    return byte & (0xff << (8 - bits));
  });
}

/** As people write it, in its one spelling. */
export function cidrText({ bytes, prefix }: Cidr): string {
  return `${ipToText(bytes)}/${prefix}`;
}

/** The same text for the same range. */
export function cidrKey({ bytes, prefix }: Cidr): string {
  return `${bytes.toHex()}/${prefix}`;
}

/** The last address of the range, plus one; null when that wraps around. */
export function addressBehind({ bytes, prefix }: Cidr): Uint8Array | null {
  const next = bytes.slice();
  for (let bit = prefix - 1; bit >= 0; bit--) {
    next[bit >> 3]! ^= 0x80 >> (bit & 7);
    // A one means that nothing carries on.
    if (next[bit >> 3]! & (0x80 >> (bit & 7))) return next;
  }
  return null;
}

/** Is the address, of the same family, within the range? */
export function contains({ bytes, prefix }: Cidr, address: Uint8Array): boolean {
  return address.length === bytes.length &&
    maskBytes(address, prefix).every((byte, n) => byte === bytes[n]);
}

/** Is the second range, of the same family, the first one or a part of it? */
export function containsRange(whole: Cidr, part: Cidr): boolean {
  return part.prefix >= whole.prefix && contains(whole, part.bytes);
}

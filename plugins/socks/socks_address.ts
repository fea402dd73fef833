import { ipToText, parseIpv4, parseIpv6 } from "../../core/identity/mod.ts";

/** An address of RFC 1928 section 5, as text. */
export interface SocksAddress {
  readonly host: string;
  readonly port: number;
  /** How many bytes it takes up: kind, address and port. */
  readonly length: number;
}

/** Why bytes are no address: more of them are needed, the kind is unknown, or the name is none. */
export type AddressFault = "short" | "type" | "host";

const kindIpv4 = 1;
const kindName = 3;
const kindIpv6 = 4;

/** The address at the beginning of `bytes`, whatever follows it. */
export function parseSocksAddress(bytes: Uint8Array): SocksAddress | AddressFault {
  const [kind, first] = bytes;
  if (kind === undefined) return "short";
  if (kind !== kindIpv4 && kind !== kindName && kind !== kindIpv6) return "type";
  if (first === undefined) return "short";
  const size = kind === kindIpv4 ? 4 : kind === kindIpv6 ? 16 : 1 + first;
  const length = 1 + size + 2;
  if (bytes.length < length) return "short";
  const address = bytes.subarray(1, 1 + size);
  const host = kind === kindName ? name(address.subarray(1)) : ipToText(address);
  const port = bytes[length - 2]! * 256 + bytes[length - 1]!;
  return host === undefined ? "host" : { host, port, length };
}

/** The inverse, for an IP literal; an IPv4 address that a socket of both families shows as IPv6 is what it was to the client. */
export function encodeIpAddress(host: string, port: number): number[] {
  const text = host.replace(/^::ffff:(?=\d+\.)/i, "");
  const bytes = parseIpv4(text) ?? parseIpv6(text) ?? new Uint8Array(4);
  return [bytes.length === 4 ? kindIpv4 : kindIpv6, ...bytes, port >> 8, port & 255];
}

/** A DNS name or an address in text; undefined for what is neither. */
function name(bytes: Uint8Array): string | undefined {
  const text = String.fromCharCode(...bytes);
  return /^[A-Za-z0-9._:-]{1,253}$/.test(text) ? text : undefined;
}

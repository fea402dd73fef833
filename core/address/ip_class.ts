import { parseIpv4, parseIpv6 } from "./ip_text.ts";

/**
 * What kind of address an IP literal is, whatever its spelling: judged by its bytes, because IPv6 has many texts for one address and
 * several ways to hold an IPv4 address inside.
 */

/**
 * True for addresses that nobody may make this machine dial: link-local (cloud metadata lives there), metadata services elsewhere,
 * multicast, broadcast, unspecified; and for text that is no IP literal.
 */
export function isForbiddenIp(address: string): boolean {
  const ip = ipBytes(address);
  if (ip === null) return true;
  const embedded = embeddedIpv4(ip);
  if (embedded !== null) return isForbiddenIpv4(embedded);
  const [a = 0, b = 0] = ip;
  const linkLocal = a === 0xfe && (b & 0xc0) === 0x80;
  // fd00:ec2::/32 is where one cloud keeps its instance metadata for IPv6.
  const metadata = startsWith(ip, [0xfd, 0x00, 0x0e, 0xc2]);
  return linkLocal || metadata || a === 0xff || isZero(ip);
}

/** True for the machine's own loopback, in either family. */
export function isLoopbackIp(address: string): boolean {
  const ip = ipBytes(address);
  if (ip === null) return false;
  const embedded = embeddedIpv4(ip);
  if (embedded !== null) return embedded[0] === 127;
  return ip[15] === 1 && isZero(ip.subarray(0, 15));
}

/**
 * What rules about ranges have to look at: the bytes of an address (4 or 16), and the IPv4 address it holds inside, because that is
 * where a packet to it ends up. Empty for text that is no IP literal.
 */
export function ipForms(address: string): readonly Uint8Array[] {
  const ip = ipBytes(address);
  if (ip === null) return [];
  const embedded = embeddedIpv4(ip);
  return embedded === null || embedded === ip ? [ip] : [ip, embedded];
}

function isForbiddenIpv4(ip: Uint8Array): boolean {
  const [a = 0, b = 0] = ip;
  return a === 0 || a >= 224 || (a === 169 && b === 254) ||
    startsWith(ip, [100, 100, 100, 200]) || startsWith(ip, [192, 0, 0, 192]);
}

/** 4 or 16 bytes; a zone says which link, not which address, and is left out. */
function ipBytes(address: string): Uint8Array | null {
  const text = address.replace(/%.*$/s, "");
  const v4 = parseIpv4(text);
  if (v4 !== null) return v4;
  const dotted = /^(.*:)([0-9.]+)$/.exec(text);
  if (dotted === null) return parseIpv6(text);
  const tail = parseIpv4(dotted[2] ?? "");
  if (tail === null) return parseIpv6(text);
  const [w = 0, x = 0, y = 0, z = 0] = tail;
  return parseIpv6(`${dotted[1]}${(w << 8 | x).toString(16)}:${(y << 8 | z).toString(16)}`);
}

/** The IPv4 address that a packet to this one may end up at; the address itself if it is IPv4. Null: none, this is IPv6. */
function embeddedIpv4(ip: Uint8Array): Uint8Array | null {
  if (ip.length === 4) return ip;
  const last = ip.subarray(12);
  // RFC 4291: IPv4-compatible ::/96 (without :: and ::1, which are themselves) and IPv4-mapped ::ffff:0:0/96.
  if (isZero(ip.subarray(0, 12))) return last[0] === 0 && last[1] === 0 ? null : last;
  if (isZero(ip.subarray(0, 10)) && ip[10] === 0xff && ip[11] === 0xff) return last;
  // RFC 2765: IPv4-translated ::ffff:0:0:0/96.
  if (isZero(ip.subarray(0, 8)) && startsWith(ip.subarray(8), [0xff, 0xff, 0, 0])) return last;
  // RFC 6052 and RFC 8215: NAT64, where a gateway takes the last 32 bits.
  if (startsWith(ip, [0x00, 0x64, 0xff, 0x9b])) return last;
  // RFC 3056: 6to4 keeps it behind 2002.
  if (startsWith(ip, [0x20, 0x02])) return ip.subarray(2, 6);
  return null;
}

function startsWith(bytes: Uint8Array, prefix: readonly number[]): boolean {
  return prefix.every((byte, n) => bytes[n] === byte);
}

function isZero(bytes: Uint8Array): boolean {
  return bytes.every((byte) => byte === 0);
}

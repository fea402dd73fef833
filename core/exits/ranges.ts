import { type Cidr, contains, containsRange, ipForms, parseCidr } from "../address/mod.ts";

/** Where no address is that another machine could be reached by. */
const nobodys: readonly Cidr[] = [
  "0.0.0.0/8",
  "127.0.0.0/8",
  "169.254.0.0/16",
  "224.0.0.0/3",
  "::/127",
  "::ffff:0:0/96",
  "fe80::/10",
  "ff00::/8",
].map((text) => parseCidr(text)!);

/** What a site has for itself (RFC 1918, RFC 4193), and what lies between it and its provider (RFC 6598). */
const sites: readonly Cidr[] = [
  "10.0.0.0/8",
  "100.64.0.0/10",
  "172.16.0.0/12",
  "192.168.0.0/16",
  "fc00::/7",
].map((text) => parseCidr(text)!);

/** Shorter prefixes are the internet, or so large a part of it that two of them would be. */
const widest = { 4: 8, 16: 16 } as const;

/** Ranges whose addresses are never behind an exit. */
export function reservedRanges(meshCidrs: readonly string[]): readonly Cidr[] {
  return [...nobodys, ...meshCidrs.map(parseCidr).filter((cidr) => cidr !== null)];
}

/** Whether a range is so wide that it takes a decision of the node's operator to use it. */
export function isWide({ bytes, prefix }: Cidr): boolean {
  return prefix < widest[bytes.length as 4 | 16];
}

/** Whether an address is one of the internet: neither a site's own, nor nobody's, nor the mesh's. */
export function isPublic(address: string, meshCidrs: readonly string[]): boolean {
  const bytes = routedBytes(address);
  return bytes !== null &&
    ![...sites, ...reservedRanges(meshCidrs)].some((range) => contains(range, bytes));
}

export function liesIn(ranges: readonly Cidr[], part: Cidr): boolean {
  return ranges.some((whole) => containsRange(whole, part));
}

/** The bytes a packet to the address is routed by: those of the IPv4 address that `::ffff:10.0.0.5` stands for. Null: no IP literal. */
export function routedBytes(address: string): Uint8Array | null {
  const [ip, embedded] = ipForms(address);
  if (ip === undefined) return null;
  const mapped = embedded !== undefined && ip.subarray(0, 10).every((byte) => byte === 0) &&
    ip[10] === 0xff && ip[11] === 0xff;
  return mapped ? embedded : ip;
}

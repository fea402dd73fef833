import { ipToText, parseIpv4, parseIpv6 } from "../../../core/address/mod.ts";
import type { MeshSnapshot } from "../mesh/snapshot.ts";

/** Bits of the prefix all IPv6 mesh addresses of a network share: `fd` and 40 bits of its name. */
const ipv6PrefixLength = 48;

/** What the interface is to have. */
export interface WantedState {
  readonly addresses: readonly { readonly address: string; readonly prefixLength: number }[];
  /** Networks that lie behind the interface. */
  readonly routes: readonly string[];
}

/**
 * Addresses and routes of the interface. The mesh's own ranges are routes, not a consequence of an address, because an address may
 * be an override from outside of them; so are peers whose addresses are.
 */
export function wantedState(mesh: MeshSnapshot): WantedState {
  const range = parseRange(mesh.meshCidr);
  const routes = new Set<string>();
  // No longer than the address: of two in one range the kernel takes both away with the first.
  const addresses = mesh.addresses.map((address) => ({
    address,
    prefixLength: address.includes(":") ? 128 : 32,
  }));
  if (addresses.some(({ address }) => !address.includes(":"))) routes.add(rangeText(range));
  const own6 = mesh.addresses.find((address) => address.includes(":"));
  if (own6 !== undefined) routes.add(`${ipv6Prefix(own6)}/${ipv6PrefixLength}`);
  for (const { addresses } of mesh.nodes) {
    for (const address of addresses) {
      if (!address.includes(":") && !contains(range, address)) routes.add(`${address}/32`);
    }
  }
  return { addresses, routes: [...routes].sort() };
}

interface Range {
  readonly network: number;
  readonly length: number;
}

function parseRange(cidr: string): Range {
  const [address = "", length = ""] = cidr.split("/");
  const bits = Number(length);
  return { network: (toNumber(address) & maskOf(bits)) >>> 0, length: bits };
}

function contains({ network, length }: Range, address: string): boolean {
  return ((toNumber(address) & maskOf(length)) >>> 0) === network;
}

function rangeText({ network, length }: Range): string {
  return `${[24, 16, 8, 0].map((shift) => network >>> shift & 255).join(".")}/${length}`;
}

function maskOf(length: number): number {
  return length === 0 ? 0 : (0xffff_ffff << (32 - length)) >>> 0;
}

function toNumber(address: string): number {
  const bytes = parseIpv4(address);
  return bytes === null ? 0 : new DataView(bytes.buffer, bytes.byteOffset).getUint32(0);
}

function ipv6Prefix(address: string): string {
  const bytes = parseIpv6(address) ?? new Uint8Array(16);
  return ipToText(bytes.fill(0, ipv6PrefixLength / 8));
}

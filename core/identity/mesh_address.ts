import { hash } from "node:crypto";
import { IdentityError } from "./errors.ts";
import { ipToText, parseIpv4 } from "./ip_text.ts";
import type { NodeId } from "./types.ts";

export const defaultMeshCidr = "10.100.0.0/16";

/** A parsed mesh CIDR. */
export interface MeshRange {
  /** Network address as a number. */
  readonly network: number;
  /** Usable hosts: 1..hosts, without network and broadcast address. */
  readonly hosts: number;
}

/**
 * The address a node would like: `FNV-1a-32(id) mod (2^hostbits - 2) + 1` above the network address. Two nodes can wish for
 * the same one; the CA settles that with `nextFreeIpv4` and binds the result into the certificate.
 * @throws {IdentityError} MESH_CIDR_INVALID
 */
export function deriveMeshIpv4(id: NodeId, cidr: string = defaultMeshCidr): string {
  const range = parseMeshCidr(cidr);
  // Fewer than 4 characters are no id; the first host keeps the rule total.
  const host = id.length < 4 ? 1 : fnv1a32(id) % range.hosts + 1;
  return numberToIpv4(range.network + host);
}

/**
 * `wanted`, or the next address after it (wrapping around) that is not taken.
 * @throws {IdentityError} MESH_CIDR_INVALID; MESH_ADDRESSES_EXHAUSTED every address is taken
 */
export function nextFreeIpv4(
  wanted: string,
  cidr: string,
  isTaken: (address: string) => boolean,
): string {
  const range = parseMeshCidr(cidr);
  const bytes = parseIpv4(wanted);
  const start = bytes === null ? 1 : ipv4ToNumber(bytes) - range.network;
  const first = start >= 1 && start <= range.hosts ? start : 1;
  for (let i = 0; i < range.hosts; i++) {
    const address = numberToIpv4(range.network + (first - 1 + i) % range.hosts + 1);
    if (!isTaken(address)) return address;
  }
  throw new IdentityError(
    "MESH_ADDRESSES_EXHAUSTED",
    `all ${range.hosts} addresses of the mesh CIDR ${cidr} are taken: use a larger one`,
    { cidr },
  );
}

/** ULA (RFC 4193): fd, 40 bits of SHA-256(network), subnet 0, then 64 bits of the id. */
export function meshIpv6(network: string, id: NodeId): string {
  const bytes = new Uint8Array(16);
  bytes[0] = 0xfd;
  bytes.set(Uint8Array.fromHex(hash("sha256", network, "hex").slice(0, 10)), 1);
  bytes.set(Uint8Array.fromHex(id.slice(0, 16)), 8);
  return ipToText(bytes);
}

/**
 * An IPv4 range with room for nodes; host bits are ignored.
 * @throws {IdentityError} MESH_CIDR_INVALID
 */
export function parseMeshCidr(cidr: string): MeshRange {
  const refuse = (why: string) =>
    new IdentityError(
      "MESH_CIDR_INVALID",
      `mesh CIDR "${cidr.slice(0, 64)}" ${why}; an example is ${defaultMeshCidr}`,
    );
  const [addressText = "", prefixText = "", ...rest] = cidr.split("/");
  const address = parseIpv4(addressText);
  if (address === null || rest.length > 0 || !/^\d{1,2}$/.test(prefixText)) {
    throw refuse("is not an IPv4 address, a slash and a prefix length");
  }
  const prefix = Number(prefixText);
  if (prefix < 8 || prefix > 32) throw refuse("needs a prefix length from 8 to 30");
  if (prefix > 30) throw refuse("has no room for nodes: the prefix length can be 30 at most");
  const hosts = 2 ** (32 - prefix) - 2;
  const mask = (0xffffffff << (32 - prefix)) >>> 0;
  return { network: (ipv4ToNumber(address) & mask) >>> 0, hosts };
}

/** Whether it is the address of a host in the range, and neither its first nor its last. @throws {IdentityError} MESH_CIDR_INVALID */
export function isMeshHost(address: string, cidr: string): boolean {
  const { network, hosts } = parseMeshCidr(cidr);
  const bytes = parseIpv4(address);
  if (bytes === null) return false;
  const host = ipv4ToNumber(bytes) - network;
  return host >= 1 && host <= hosts;
}

/** The range in its one spelling, host bits zero. @throws {IdentityError} MESH_CIDR_INVALID */
export function canonicalMeshCidr(cidr: string): string {
  const { network } = parseMeshCidr(cidr);
  return `${numberToIpv4(network)}/${Number(cidr.split("/")[1])}`;
}

function fnv1a32(text: string): number {
  let value = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) {
    value = Math.imul(value ^ text.charCodeAt(i), 0x01000193);
  }
  return value >>> 0;
}

function ipv4ToNumber(bytes: Uint8Array): number {
  return ((bytes[0]! << 24) | (bytes[1]! << 16) | (bytes[2]! << 8) | bytes[3]!) >>> 0;
}

function numberToIpv4(value: number): string {
  return [value >>> 24, (value >>> 16) & 0xff, (value >>> 8) & 0xff, value & 0xff].join(".");
}

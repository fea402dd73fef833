import { FfiError } from "../libc/errors.ts";
import { type Family, familyNumbers } from "../libc/family.ts";
import { u32, u8 } from "../netlink/attributes.ts";
import { parsePrefix } from "../netlink/prefix.ts";
import type { NftFamily } from "./nft_header.ts";
import {
  compare,
  type Expression,
  loadConnectionState,
  loadMeta,
  loadPayload,
  loadValue,
  maskWith,
  storeMark,
} from "./expressions.ts";

/** Offsets of the addresses in either header. */
const addressOffsets = {
  ipv4: { source: 12, destination: 16 },
  ipv6: { source: 8, destination: 24 },
} as const;

/** The packet is of this family. Needed in `inet` tables only. */
export function isFamily(family: Family): Expression[] {
  return [loadMeta("family"), compare("equal", u8(familyNumbers[family]))];
}

/** The packet comes from the network. @throws {FfiError} FFI_ARGUMENT no network, or not of the table's family */
export function sourceIn(table: NftFamily, cidr: string): Expression[] {
  return addressIn(table, cidr, "source");
}

/** The packet goes to the network. @throws {FfiError} FFI_ARGUMENT no network, or not of the table's family */
export function destinationIn(table: NftFamily, cidr: string): Expression[] {
  return addressIn(table, cidr, "destination");
}

function addressIn(table: NftFamily, cidr: string, which: "source" | "destination") {
  const { family, address, length } = parsePrefix(cidr);
  if (table !== "inet" && table !== (family === "ipv4" ? "ip" : "ip6")) {
    throw new FfiError("FFI_ARGUMENT", `${cidr} cannot be matched in a table of family ${table}`);
  }
  const mask = address.map((_, index) => prefixMaskByte(length, index));
  const network = address.map((byte, index) => byte & (mask[index] ?? 0));
  return [
    ...(table === "inet" ? isFamily(family) : []),
    loadPayload("network", addressOffsets[family][which], address.length),
    ...(length === address.length * 8 ? [] : [maskWith(mask)]),
    compare("equal", network),
  ];
}

function prefixMaskByte(length: number, index: number): number {
  const bits = Math.min(8, Math.max(0, length - index * 8));
  return (0xff << (8 - bits)) & 0xff;
}

/** The packet came in, or did not, through the interface of that name. @throws {FfiError} FFI_ARGUMENT */
export function inputIs(name: string, operation: "equal" | "unequal" = "equal"): Expression[] {
  return [loadMeta("inputName"), compare(operation, interfaceBytes(name))];
}

/** The packet leaves, or does not, through the interface of that name. @throws {FfiError} FFI_ARGUMENT */
export function outputIs(name: string, operation: "equal" | "unequal" = "equal"): Expression[] {
  return [loadMeta("outputName"), compare(operation, interfaceBytes(name))];
}

function interfaceBytes(name: string): Uint8Array {
  const bytes = new TextEncoder().encode(name);
  if (bytes.length === 0 || bytes.length > 15) {
    throw new FfiError("FFI_ARGUMENT", `"${name}" cannot be the name of an interface`);
  }
  const out = new Uint8Array(16);
  out.set(bytes);
  return out;
}

/** What the kernel's connection tracking thinks of a packet. */
export type ConnectionState = "invalid" | "established" | "related" | "new";

/** Bits of NF_CT_STATE_BIT. */
const states: Readonly<Record<ConnectionState, number>> = {
  invalid: 1,
  established: 2,
  related: 4,
  new: 8,
};

/** The packet's connection is in one of the states. */
export function connectionIs(...anyOf: readonly ConnectionState[]): Expression[] {
  const bits = anyOf.reduce((sum, state) => sum | states[state], 0);
  return [loadConnectionState(), maskWith(u32(bits)), compare("unequal", u32(0))];
}

/** The packet's mark is this. */
export function markIs(mark: number): Expression[] {
  return [loadMeta("mark"), compare("equal", u32(mark))];
}

/** Marks the packet, for routing rules. */
export function setMark(mark: number): Expression[] {
  return [loadValue(u32(mark)), storeMark()];
}

/** Protocols that have ports. */
export type TransportProtocol = "tcp" | "udp";

const protocols: Readonly<Record<TransportProtocol, number>> = { tcp: 6, udp: 17 };

/** The packet goes to a port of TCP or UDP. */
export function destinationPortIs(protocol: TransportProtocol, port: number): Expression[] {
  const bytes = Uint8Array.of(port >> 8, port & 0xff);
  return [
    loadMeta("protocol"),
    compare("equal", u8(protocols[protocol])),
    loadPayload("transport", 2, 2),
    compare("equal", bytes),
  ];
}

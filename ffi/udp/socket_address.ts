import { ipToText, parseIpv4, parseIpv6 } from "../../core/address/ip_text.ts";
import type { Arena } from "../libc/arena.ts";
import { FfiError } from "../libc/errors.ts";
import { type Family, familyNumbers, familyOf } from "../libc/family.ts";

/** One end of a datagram's way. */
export interface SocketAddress {
  /** A literal address; never a mapped one. */
  readonly address: string;
  readonly port: number;
  /** Index of the interface a link-local address is on. @default {0} */
  readonly scopeId?: number;
}

const SOCKADDR_IN = 16;
const SOCKADDR_IN6 = 28;
/** ::ffff:0:0/96 */
const MAPPED = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff];

/** 16 bytes; an IPv4 address as a mapped one. @throws {FfiError} FFI_ARGUMENT */
export function mappedBytes(address: string): Uint8Array<ArrayBuffer> {
  const v4 = parseIpv4(address);
  const v6 = v4 === null ? parseIpv6(address) : Uint8Array.from([...MAPPED, ...v4]);
  if (v6 !== null) return v6;
  throw new FfiError("FFI_ARGUMENT", `"${address.slice(0, 64)}" is not an IPv4 or IPv6 address`);
}

/** The inverse of `mappedBytes()`. */
export function mappedText(bytes: Uint8Array): string {
  return ipToText(isMapped(bytes) ? bytes.subarray(12) : bytes);
}

function isMapped(bytes: Uint8Array): boolean {
  return MAPPED.every((byte, index) => bytes[index] === byte);
}

/** struct sockaddr_in or sockaddr_in6. @throws {FfiError} FFI_ARGUMENT no address, or an IPv6 one for an IPv4 socket */
export function encodeSocketAddress(
  family: Family,
  { address, port, scopeId = 0 }: SocketAddress,
): Uint8Array<ArrayBuffer> {
  if (!Number.isInteger(port) || port < 0 || port > 65_535) {
    throw new FfiError("FFI_ARGUMENT", `${port} is not a port`);
  }
  const ip = mappedBytes(address);
  const out = new Uint8Array(family === "ipv4" ? SOCKADDR_IN : SOCKADDR_IN6);
  const view = new DataView(out.buffer);
  view.setUint16(0, familyNumbers[family], true);
  view.setUint16(2, port);
  if (family === "ipv6") {
    out.set(ip, 8);
    view.setUint32(24, scopeId, true);
  } else if (isMapped(ip)) {
    out.set(ip.subarray(12), 4);
  } else {
    throw new FfiError("FFI_ARGUMENT", `${address} cannot be reached from an IPv4 socket`);
  }
  return out;
}

/** The inverse of `encodeSocketAddress()`; undefined for another family. */
export function decodeSocketAddress(bytes: Uint8Array): SocketAddress | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < SOCKADDR_IN) return undefined;
  const family = familyOf(view.getUint16(0, true));
  const port = view.getUint16(2);
  if (family === "ipv4") return { address: ipToText(bytes.subarray(4, 8)), port };
  if (family !== "ipv6" || bytes.length < SOCKADDR_IN6) return undefined;
  const scopeId = view.getUint32(24, true);
  const address = mappedText(bytes.subarray(8, 24));
  return scopeId === 0 ? { address, port } : { address, port, scopeId };
}

/** A socket address in an arena, where sends and receives point to. */
export class AddressSlot {
  readonly offset: number;
  /** Of the struct. */
  readonly length: number;
  readonly family: Family;
  readonly #arena: Arena;

  constructor(arena: Arena, family: Family) {
    this.#arena = arena;
    this.family = family;
    this.length = family === "ipv4" ? SOCKADDR_IN : SOCKADDR_IN6;
    this.offset = arena.allocate(this.length, 4);
  }

  /** @throws {FfiError} FFI_ARGUMENT */
  set(address: SocketAddress): void {
    this.#arena.bytes.set(encodeSocketAddress(this.family, address), this.offset);
  }

  /** Undefined while nothing was set or received. */
  get(): SocketAddress | undefined {
    return decodeSocketAddress(this.#bytes());
  }

  /** Whether datagrams to it are IPv4, on either kind of socket. */
  get isIpv4(): boolean {
    const { view } = this.#arena;
    return this.family === "ipv4" ||
      (view.getUint32(this.offset + 16) === 0xffff && view.getUint32(this.offset + 12) === 0 &&
        view.getUint32(this.offset + 8) === 0);
  }

  /** Takes over what another slot of the same socket holds: a peer that has roamed. */
  copyFrom(other: AddressSlot): void {
    this.#requireSameFamily(other);
    const { offset, length } = other;
    this.#arena.bytes.set(other.#arena.bytes.subarray(offset, offset + length), this.offset);
  }

  /** Whether both name the same end: address, port and, where there is one, scope. Allocates nothing. */
  equals(other: AddressSlot): boolean {
    this.#requireSameFamily(other);
    const [a, b] = [this.#arena.view, other.#arena.view];
    for (let at = 0; at < this.length; at += 4) {
      // Bytes 4 to 7 of an IPv6 one are its flow label, which names nobody; the last 8 of an IPv4 one are padding.
      if (this.family === "ipv6" ? at === 4 : at >= 8) continue;
      if (a.getUint32(this.offset + at) !== b.getUint32(other.offset + at)) return false;
    }
    return true;
  }

  #bytes(): Uint8Array {
    return this.#arena.bytes.subarray(this.offset, this.offset + this.length);
  }

  #requireSameFamily(other: AddressSlot): void {
    if (this.family === other.family) return;
    throw new FfiError("FFI_ARGUMENT", "the two addresses are of different families");
  }
}

/** Which of this machine's addresses a datagram came to, or is to leave from. */
export class LocalAddress {
  /** 16 bytes, IPv4 mapped, then the interface's index. */
  readonly offset: number;
  readonly #arena: Arena;

  constructor(arena: Arena) {
    this.#arena = arena;
    this.offset = arena.allocate(20, 4);
  }

  /** @throws {FfiError} FFI_ARGUMENT */
  set(address: string, interfaceIndex = 0): void {
    this.#arena.bytes.set(mappedBytes(address), this.offset);
    this.#arena.view.setUint32(this.offset + 16, interfaceIndex, true);
  }

  /** Leaves the choice to the system. */
  clear(): void {
    this.#arena.bytes.fill(0, this.offset, this.offset + 20);
  }

  /** Undefined when it is not known, or left to the system. */
  get(): { readonly address: string; readonly interfaceIndex: number } | undefined {
    const bytes = this.#arena.bytes.subarray(this.offset, this.offset + 16);
    if (bytes.every((byte) => byte === 0)) return undefined;
    const interfaceIndex = this.#arena.view.getUint32(this.offset + 16, true);
    return { address: mappedText(bytes), interfaceIndex };
  }

  copyFrom(other: LocalAddress): void {
    const { offset } = other;
    this.#arena.bytes.set(other.#arena.bytes.subarray(offset, offset + 20), this.offset);
  }
}

import type { Arena } from "../libc/arena.ts";
import type { AddressSlot, LocalAddress } from "./socket_address.ts";

/*
 * Ancillary data of cmsg(3): a header of u64 length, i32 level, i32 type, then the value, padded to 8 bytes. The layout is the
 * same on both architectures, and with musl, whose lengths are 32 bits and a padding of zero.
 */
const HEADER = 16;
const LEVEL_IP = 0;
const LEVEL_UDP = 17;
const LEVEL_IPV6 = 41;
const IP_TOS = 1;
const IP_PKTINFO = 8;
const IPV6_PKTINFO = 50;
const IPV6_TCLASS = 67;
const UDP_SEGMENT = 103;
const UDP_GRO = 104;

/** Room that any set of control messages of a send, or of a receive, fits in. */
export const CONTROL_ROOM = 128;

function putHeader(view: DataView, at: number, length: number, level: number, type: number): void {
  view.setUint32(at, HEADER + length, true);
  view.setUint32(at + 4, 0, true);
  view.setInt32(at + 8, level, true);
  view.setInt32(at + 12, type, true);
}

/**
 * Writes the control messages of one send at `at`.
 *
 * @param segment cut the payload into datagrams of so many bytes; 0: it is one
 * @param tos ECN and DSCP, the whole byte of either family's header; 0: the socket's own
 * @param source undefined: the system chooses
 * @returns their length, 0 when there are none
 */
export function writeControl(
  arena: Arena,
  at: number,
  to: AddressSlot,
  segment: number,
  tos: number,
  source: LocalAddress | undefined,
): number {
  const { view, bytes } = arena;
  let end = at;
  if (segment !== 0) {
    putHeader(view, end, 2, LEVEL_UDP, UDP_SEGMENT);
    view.setUint16(end + HEADER, segment, true);
    end += HEADER + 8;
  }
  if (tos === 0 && source === undefined) return end - at;
  const ipv4 = to.isIpv4;
  if (tos !== 0) {
    putHeader(view, end, 4, ipv4 ? LEVEL_IP : LEVEL_IPV6, ipv4 ? IP_TOS : IPV6_TCLASS);
    view.setInt32(end + HEADER, tos, true);
    end += HEADER + 8;
  }
  if (source === undefined) return end - at;
  const from = source.offset;
  const value = end + HEADER;
  if (ipv4) {
    // struct in_pktinfo: interface, source, and the header's destination, which is for receiving.
    putHeader(view, end, 12, LEVEL_IP, IP_PKTINFO);
    view.setUint32(value, view.getUint32(from + 16, true), true);
    bytes.copyWithin(value + 4, from + 12, from + 16);
    view.setUint32(value + 8, 0, true);
    end = value + 16;
  } else {
    // struct in6_pktinfo: source, interface.
    putHeader(view, end, 20, LEVEL_IPV6, IPV6_PKTINFO);
    bytes.copyWithin(value, from, from + 20);
    end = value + 24;
  }
  return end - at;
}

/** What the control messages of one received message say. Reused: nothing is allocated per datagram. */
export interface ReceivedControl {
  /** The size of the datagrams that were merged into this message; 0: it is one. */
  segment: number;
  /** ECN and DSCP: the whole byte of either family's header. */
  tos: number;
}

/** Reads the control messages in `length` bytes at `at`. What is not known is skipped; what is cut off ends it. */
export function readControl(
  arena: Arena,
  at: number,
  length: number,
  into: ReceivedControl,
  local: LocalAddress,
): void {
  const { view, bytes } = arena;
  into.segment = 0;
  into.tos = 0;
  const end = at + length;
  for (let next = at; next + HEADER <= end;) {
    const size = view.getUint32(next, true);
    if (size < HEADER || next + size > end) return;
    const level = view.getInt32(next + 8, true);
    const type = view.getInt32(next + 12, true);
    const value = next + HEADER;
    const room = size - HEADER;
    if (level === LEVEL_UDP && type === UDP_GRO && room >= 4) {
      into.segment = view.getInt32(value, true);
    } else if (level === LEVEL_IP && type === IP_TOS && room >= 1) {
      into.tos = view.getUint8(value);
    } else if (level === LEVEL_IPV6 && type === IPV6_TCLASS && room >= 4) {
      into.tos = view.getInt32(value, true) & 0xff;
    } else if (level === LEVEL_IP && type === IP_PKTINFO && room >= 12) {
      bytes.fill(0, local.offset, local.offset + 10);
      view.setUint16(local.offset + 10, 0xffff);
      bytes.copyWithin(local.offset + 12, value + 8, value + 12);
      view.setUint32(local.offset + 16, view.getUint32(value, true), true);
    } else if (level === LEVEL_IPV6 && type === IPV6_PKTINFO && room >= 20) {
      bytes.copyWithin(local.offset, value, value + 20);
    }
    next += (size + 7) & ~7;
  }
}

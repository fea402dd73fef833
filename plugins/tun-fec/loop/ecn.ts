import type { IpPacket } from "../packet/ip_packet.ts";
import { fold } from "../super_packet/checksum.ts";

/** Codepoints of ECN: not capable, capable (two kinds), congestion experienced. */
export const ecn = { not: 0, ect1: 1, ect0: 2, ce: 3 } as const;

/**
 * What the ECN field becomes on the way out of a tunnel (RFC 6040, 4.2); -1: the packet is to be dropped, because its sender
 * could not be told of the congestion in any other way.
 */
export function decapsulatedEcn(inner: number, outer: number): number {
  if (outer === ecn.ce) return inner === ecn.not ? -1 : ecn.ce;
  return outer === ecn.ect1 && inner === ecn.ect0 ? ecn.ect1 : inner;
}

/** Changes the ECN field of an IP header and its checksum (RFC 1624, eqn. 3: `~(~sum + ~old + new)`). */
export function writeEcn(view: DataView, at: number, packet: IpPacket, codepoint: number): void {
  const changed = packet.trafficClass & 0xfc | codepoint;
  if (packet.version === 6) {
    view.setUint16(at, view.getUint16(at) & 0xf00f | changed << 4);
    return;
  }
  const before = view.getUint16(at);
  const after = before & 0xff00 | changed;
  const sum = view.getUint16(at + 10);
  view.setUint16(at, after);
  view.setUint16(at + 10, ~fold((~sum & 0xffff) + (~before & 0xffff) + after) & 0xffff);
}

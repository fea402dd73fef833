import type { IpPacket } from "../packet/ip_packet.ts";
import { ipProtocol } from "../packet/ip_packet.ts";
import { pseudoHeaderSum, writeIpv4Checksum } from "./checksum.ts";
import { gsoType, needsChecksum, virtioHeader, writeVirtioHeader } from "./virtio_header.ts";

/** Bytes before the payload of a UDP packet with plain headers, the virtio header included; 0 for any other packet. */
export function udpHeaders({ version, protocol, headerLength, fragment }: IpPacket): number {
  if (protocol !== ipProtocol.udp || fragment) return 0;
  if (headerLength !== (version === 6 ? 40 : 20)) return 0;
  return virtioHeader + headerLength + 8;
}

/**
 * Has headers say that so many bytes of payload follow.
 * @param size of all headers
 * @param gsoSize payload of each datagram that the packet stands for
 */
export function writeUdpHeaders(
  view: DataView,
  at: number,
  size: number,
  payload: number,
  gsoSize: number,
): void {
  const ip = at + virtioHeader;
  const ipLength = size - virtioHeader - 8;
  const udp = ip + ipLength;
  if (ipLength === 40) view.setUint16(ip + 4, 8 + payload);
  else {
    view.setUint16(ip + 2, ipLength + 8 + payload);
    writeIpv4Checksum(view, ip, ipLength);
  }
  view.setUint16(udp + 4, 8 + payload);
  view.setUint16(udp + 6, pseudoHeaderSum(view, ip, ipProtocol.udp, 8 + payload));
  const single = payload <= gsoSize;
  writeVirtioHeader(view, at, {
    flags: needsChecksum,
    gsoType: single ? gsoType.none : gsoType.udp,
    headerLength: size - virtioHeader,
    gsoSize: single ? 0 : gsoSize,
    checksumStart: ipLength,
    checksumOffset: 6,
  });
}

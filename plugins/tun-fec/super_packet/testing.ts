import { makePacket } from "../packet/testing.ts";
import { fold, pseudoHeaderSum, sumWords } from "./checksum.ts";
import { gsoType, needsChecksum, virtioHeader, writeVirtioHeader } from "./virtio_header.ts";

/** A packet as a TUN device with offloads hands it over. */
export function makeSuperPacket(
  { six, protocol, payload, gsoSize, tcpFlags = 0x99 }: {
    readonly six: boolean;
    readonly protocol: "tcp" | "udp";
    readonly payload: Uint8Array;
    readonly gsoSize: number;
    readonly tcpFlags?: number;
  },
): Uint8Array {
  const packet = makePacket({
    source: six ? "fd00::1" : "10.100.0.1",
    destination: six ? "fd00::2" : "10.100.0.2",
    protocol,
    sourcePort: 1000,
    destinationPort: 2000,
    tcpFlags,
    payload,
  });
  const bytes = new Uint8Array(virtioHeader + packet.length);
  bytes.set(packet, virtioHeader);
  const view = new DataView(bytes.buffer);
  const ipLength = six ? 40 : 20;
  const checksumOffset = protocol === "tcp" ? 16 : 6;
  const l4Length = packet.length - ipLength;
  const number = protocol === "tcp" ? 6 : 17;
  const l4 = virtioHeader + ipLength;
  view.setUint16(l4 + checksumOffset, pseudoHeaderSum(view, virtioHeader, number, l4Length));
  writeVirtioHeader(view, 0, {
    flags: needsChecksum,
    gsoType: protocol === "udp" ? gsoType.udp : six ? gsoType.tcp6 : gsoType.tcp4,
    headerLength: ipLength + (protocol === "tcp" ? 20 : 8),
    gsoSize,
    checksumStart: ipLength,
    checksumOffset,
  });
  return bytes;
}

/** One packet as it would be on a wire: headers and payload, checksums done. */
export interface WirePacket {
  readonly sequence: number;
  readonly flags: number;
  readonly payload: string;
  /** Everything, in hex. */
  readonly bytes: string;
}

/** Cuts a packet for a TUN device as the kernel does: segments of `gso_size`, checksums done. Written apart from the code it tests. */
export function segmentLikeTheKernel(packet: Uint8Array): WirePacket[] {
  const view = new DataView(packet.buffer, packet.byteOffset, packet.length);
  const type = view.getUint8(1) & 0x7f;
  const ip = packet.subarray(virtioHeader);
  const six = ip[0]! >> 4 === 6;
  const ipLength = six ? 40 : 20;
  const tcp = ip[six ? 6 : 9] === 6;
  const l4Length = tcp ? 20 : 8;
  const payload = ip.subarray(ipLength + l4Length);
  const size = type === 0 ? Math.max(1, payload.length) : view.getUint16(4, true);
  const result: WirePacket[] = [];
  for (let offset = 0; offset < payload.length; offset += size) {
    const part = payload.subarray(offset, offset + size);
    const out = new Uint8Array(ipLength + l4Length + part.length);
    out.set(ip.subarray(0, ipLength + l4Length));
    out.set(part, ipLength + l4Length);
    const v = new DataView(out.buffer);
    if (six) v.setUint16(4, l4Length + part.length);
    else {
      v.setUint16(2, out.length);
      v.setUint16(4, v.getUint16(4) + offset / size & 0xffff);
      v.setUint16(10, 0);
      v.setUint16(10, ~fold(sumWords(v, 0, 20)) & 0xffff);
    }
    if (tcp) {
      v.setUint32(ipLength + 4, v.getUint32(ipLength + 4) + offset);
      const final = offset + size >= payload.length;
      v.setUint8(
        ipLength + 13,
        v.getUint8(ipLength + 13) & (final ? 0xff : 0xf6) & (offset ? 0x7f : 0xff),
      );
    } else v.setUint16(ipLength + 4, 8 + part.length);
    const at = ipLength + (tcp ? 16 : 6);
    v.setUint16(at, 0);
    const pseudo = pseudoHeaderSum(v, 0, tcp ? 6 : 17, l4Length + part.length);
    v.setUint16(at, ~fold(sumWords(v, ipLength, l4Length + part.length, pseudo)) & 0xffff);
    result.push({
      sequence: tcp ? v.getUint32(ipLength + 4) : offset,
      flags: tcp ? v.getUint8(ipLength + 13) : 0,
      payload: part.toHex(),
      bytes: out.toHex(),
    });
  }
  return result;
}

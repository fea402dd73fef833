import { type IpPacket, ipProtocol } from "../packet/ip_packet.ts";

/** `struct virtio_net_hdr`, 10 bytes, little-endian: what the kernel says of a packet from a TUN device with offloads. */
export const virtioHeader = 10;

/** Values of `gso_type`; 0x80 is the ECN bit. */
export const gsoType = { none: 0, tcp4: 1, tcp6: 4, udp: 5 } as const;
export const gsoEcn = 0x80;
/** Of `flags`: the checksum field holds that of the pseudo header, the rest is to be added. */
export const needsChecksum = 1;

export interface VirtioHeader {
  readonly flags: number;
  readonly gsoType: number;
  /** Bytes of all headers behind this one. */
  readonly headerLength: number;
  /** Payload bytes of each segment the packet stands for. */
  readonly gsoSize: number;
  /** From the start of the IP header. */
  readonly checksumStart: number;
  readonly checksumOffset: number;
}

export function readVirtioHeader(view: DataView, at: number): VirtioHeader {
  return {
    flags: view.getUint8(at),
    gsoType: view.getUint8(at + 1),
    headerLength: view.getUint16(at + 2, true),
    gsoSize: view.getUint16(at + 4, true),
    checksumStart: view.getUint16(at + 6, true),
    checksumOffset: view.getUint16(at + 8, true),
  };
}

export function writeVirtioHeader(view: DataView, at: number, header: VirtioHeader): void {
  view.setUint8(at, header.flags);
  view.setUint8(at + 1, header.gsoType);
  view.setUint16(at + 2, header.headerLength, true);
  view.setUint16(at + 4, header.gsoSize, true);
  view.setUint16(at + 6, header.checksumStart, true);
  view.setUint16(at + 8, header.checksumOffset, true);
}

/**
 * Whether the header fits the packet behind it. It comes from another node, and the kernel does as it says: a checksum put
 * elsewhere would change a packet that has been judged already.
 */
export function isSound(view: DataView, at: number, packet: IpPacket): boolean {
  const { version, protocol, headerLength, fragment } = packet;
  const type = view.getUint8(at + 1) & ~gsoEcn;
  const sum = (view.getUint8(at) & needsChecksum) !== 0;
  const tcp = protocol === ipProtocol.tcp;
  const udp = protocol === ipProtocol.udp;
  if (sum) {
    const offset = view.getUint16(at + 8, true);
    if (fragment || view.getUint16(at + 6, true) !== headerLength) return false;
    if (!(tcp && offset === 16) && !(udp && offset === 6)) return false;
  }
  if (type === gsoType.none) return true;
  if (!sum || view.getUint16(at + 4, true) === 0) return false;
  return type === gsoType.udp ? udp : tcp && type === (version === 6 ? gsoType.tcp6 : gsoType.tcp4);
}

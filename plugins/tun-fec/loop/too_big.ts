import type { IpPacket } from "../packet/ip_packet.ts";
import { ipProtocol } from "../packet/ip_packet.ts";
import { fold, pseudoHeaderSum, sumWords, writeIpv4Checksum } from "../super_packet/checksum.ts";
import { gsoType, virtioHeader } from "../super_packet/virtio_header.ts";
import { tooBigPerSecond } from "./limits.ts";
import type { LoopMemory, TunPort } from "./ports.ts";
import type { Way } from "./way.ts";

/** No path is believed to carry less (RFC 791; RFC 8200, 5). */
const leastMtu = { ipv4: 576, ipv6: 1_280 } as const;
/** Of the packet, in the answer to it: its header and a bit (RFC 792), or as much as fits into 1280 bytes (RFC 4443, 2.4). */
const quoted = { ipv4: 28, ipv6: 1_280 - 48 } as const;

/** Tells senders at the interface that a packet is too large for the path to a peer (RFC 1191, RFC 4443). */
export class TooBig {
  readonly #memory: LoopMemory;
  readonly #tun: TunPort;
  readonly #at: Int32Array;
  readonly #length = new Int32Array(1);
  #second = 0;
  #told = 0;

  constructor(memory: LoopMemory, tun: TunPort) {
    this.#memory = memory;
    this.#tun = tun;
    this.#at = Int32Array.of(memory.allocate(virtioHeader + 1_280));
  }

  /**
   * @param at of the packet's virtio header; its first bytes lie in one piece
   * @returns false when the sender need not or cannot be told: the packet is to be carried in pieces
   */
  tell(way: Way, packet: IpPacket, at: number, length: number, now: number): boolean {
    const { view } = this.#memory;
    // A super-packet's own pieces are cut as the path has it, and one with a size that is still being found is not judged.
    if (view.getUint8(at + 1) !== gsoType.none || way.probe?.settled(now) !== true) return false;
    const mtu = way.capacity - virtioHeader;
    const six = packet.version === 6;
    if (mtu < (six ? leastMtu.ipv6 : leastMtu.ipv4)) return false;
    // Errors are not answered with errors (RFC 1122, 3.2.2), later fragments not at all.
    if (packet.fragmentOffset > 0 || isIcmpError(packet)) return false;
    const second = Math.floor(now / 1_000);
    if (second !== this.#second) {
      this.#second = second;
      this.#told = 0;
    }
    if (this.#told++ >= tooBigPerSecond) return true;
    const bytes = six ? this.#write6(at, length, mtu) : this.#write4(at, packet, mtu);
    this.#length[0] = virtioHeader + bytes;
    this.#tun.write(this.#at, this.#length, 1, 0);
    return true;
  }

  #write4(packet: number, { headerLength }: IpPacket, mtu: number): number {
    const { bytes, view } = this.#memory;
    const at = this.#at[0]!;
    const ip = at + virtioHeader;
    const from = packet + virtioHeader;
    const quote = headerLength + quoted.ipv4 - 20;
    const total = 28 + quote;
    bytes.fill(0, at, ip + 28);
    view.setUint16(ip, 0x4500);
    view.setUint16(ip + 2, total);
    view.setUint16(ip + 8, 64 << 8 | ipProtocol.icmp);
    bytes.copyWithin(ip + 12, from + 16, from + 20);
    bytes.copyWithin(ip + 16, from + 12, from + 16);
    writeIpv4Checksum(view, ip, 20);
    const icmp = ip + 20;
    view.setUint16(icmp, 0x0304);
    view.setUint16(icmp + 6, mtu);
    bytes.copyWithin(icmp + 8, from, from + quote);
    view.setUint16(icmp + 2, ~fold(sumWords(view, icmp, 8 + quote)) & 0xffff);
    return total;
  }

  #write6(packet: number, length: number, mtu: number): number {
    const { bytes, view } = this.#memory;
    const at = this.#at[0]!;
    const ip = at + virtioHeader;
    const from = packet + virtioHeader;
    const quote = Math.min(quoted.ipv6, length - virtioHeader);
    bytes.fill(0, at, ip + 48);
    view.setUint8(ip, 0x60);
    view.setUint16(ip + 4, 8 + quote);
    view.setUint16(ip + 6, ipProtocol.icmp6 << 8 | 64);
    bytes.copyWithin(ip + 8, from + 24, from + 40);
    bytes.copyWithin(ip + 24, from + 8, from + 24);
    const icmp = ip + 40;
    view.setUint8(icmp, 2);
    view.setUint32(icmp + 4, mtu);
    bytes.copyWithin(icmp + 8, from, from + quote);
    const pseudo = pseudoHeaderSum(view, ip, ipProtocol.icmp6, 8 + quote);
    view.setUint16(icmp + 2, ~fold(sumWords(view, icmp, 8 + quote, pseudo)) & 0xffff);
    return 48 + quote;
  }
}

function isIcmpError({ version, icmpType }: IpPacket): boolean {
  if (icmpType < 0) return false;
  return version === 6 ? icmpType < 128 : icmpType === 3 || icmpType === 11 || icmpType === 12;
}

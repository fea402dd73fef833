import type { PacketFilter } from "../filter/packet_filter.ts";
import { filterVerdict } from "../filter/types.ts";
import { IpPacket, ipProtocol, parseProblem } from "../packet/ip_packet.ts";
import { isSound, virtioHeader } from "../super_packet/virtio_header.ts";
import type { Drops } from "./drops.ts";
import { decapsulatedEcn, writeEcn } from "./ecn.ts";
import type { Peer } from "./peer.ts";
import type { LoopMemory, TunPort } from "./ports.ts";

/** Hands opened packets to the interface: those that may come from their sender to here. */
export class Delivery {
  readonly #memory: LoopMemory;
  readonly #tun: TunPort;
  readonly #filter: PacketFilter;
  readonly #drops: Drops;
  readonly #packet = new IpPacket();

  constructor(memory: LoopMemory, tun: TunPort, filter: PacketFilter, drops: Drops) {
    this.#memory = memory;
    this.#tun = tun;
    this.#filter = filter;
    this.#drops = drops;
  }

  /**
   * @param at where the pieces lie; the headers have to be in the first
   * @param total bytes of all of them
   * @param tos DSCP and ECN of what carried the packet
   */
  deliver(
    peer: Peer,
    at: Int32Array,
    length: Int32Array,
    pieces: number,
    total: number,
    tos: number,
    now: number,
  ): void {
    const packet = this.#packet;
    const { view } = this.#memory;
    const first = at[0]!;
    const ip = first + virtioHeader;
    if (
      packet.parse(view, ip, total - virtioHeader) !== parseProblem.none ||
      (pieces > 1 && headersOf(packet) > length[0]!) || !isSound(view, first, packet)
    ) {
      this.#drops.add("unparsable");
      return;
    }
    const verdict = this.#filter.inbound(packet, peer, now / 1_000);
    if (verdict !== filterVerdict.pass) {
      this.#drops.addVerdict(verdict);
      return;
    }
    const inner = packet.trafficClass & 3;
    const codepoint = decapsulatedEcn(inner, tos & 3);
    if (codepoint < 0) {
      this.#drops.add("congestion");
      return;
    }
    if (codepoint !== inner) writeEcn(view, ip, packet, codepoint);
    if (this.#tun.write(at, length, pieces) < 0) {
      this.#drops.add("interface");
      return;
    }
    peer.packetsIn++;
    peer.bytesIn += total - virtioHeader;
  }
}

/** Bytes from the virtio header on that were read of the packet. */
function headersOf({ headerLength, protocol }: IpPacket): number {
  return virtioHeader + headerLength + (protocol === ipProtocol.tcp ? 20 : 8);
}

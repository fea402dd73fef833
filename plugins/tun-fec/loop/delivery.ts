import type { PacketFilter } from "../filter/packet_filter.ts";
import { filterVerdict } from "../filter/types.ts";
import { IpPacket, ipProtocol, parseProblem } from "../packet/ip_packet.ts";
import { cutDatagrams } from "../super_packet/cut_datagrams.ts";
import { DatagramBatch } from "../super_packet/datagram_batch.ts";
import { headerRoom, maxPieces } from "../super_packet/received_packet.ts";
import { udpHeaders } from "../super_packet/udp_headers.ts";
import { gsoType, isSound, virtioHeader } from "../super_packet/virtio_header.ts";
import type { Drops } from "./drops.ts";
import { decapsulatedEcn, writeEcn } from "./ecn.ts";
import type { Peer } from "./peer.ts";
import { answer, type LoopMemory, type TunPort } from "./ports.ts";

/** Hands opened packets to the interface: those that may come from their sender to here. */
export class Delivery {
  readonly #memory: LoopMemory;
  readonly #tun: TunPort;
  readonly #filter: PacketFilter;
  readonly #drops: Drops;
  readonly #packet = new IpPacket();
  readonly #headerAt: number;
  readonly #batch: DatagramBatch;
  /** Of the datagrams that are gathered. */
  #lane = 0;
  /** The kernel takes super-packets of UDP, as far as is known. */
  #gathers = true;
  readonly #cuts = { at: new Int32Array(maxPieces + 1), length: new Int32Array(maxPieces + 1) };

  constructor(memory: LoopMemory, tun: TunPort, filter: PacketFilter, drops: Drops) {
    this.#memory = memory;
    this.#tun = tun;
    this.#filter = filter;
    this.#drops = drops;
    this.#headerAt = memory.allocate(headerRoom);
    this.#batch = new DatagramBatch(memory.bytes, memory.view, memory.allocate(headerRoom));
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
    peer.packetsIn++;
    peer.bytesIn += total - virtioHeader;
    const batch = this.#batch;
    if (pieces === 1 && this.#gathers) {
      if (batch.count > 0 && batch.add(first, total, packet)) return;
      this.flush();
      if (batch.begins(first, packet)) {
        batch.begin(first, total, packet);
        this.#lane = laneOf(peer, packet);
        return;
      }
    } else this.flush();
    const answered = this.#tun.write(at, length, pieces, laneOf(peer, packet));
    if (answered >= 0) return;
    if (answered !== answer.invalid || !this.#cut(peer, packet, at, length, pieces)) {
      this.#drops.add("interface");
    }
  }

  /** Hands over what was gathered: before the memory it lies in is received into again. */
  flush(): void {
    const batch = this.#batch;
    const { count, pieceAt, pieceLength } = batch;
    if (count === 0) return;
    const answered = this.#tun.write(pieceAt, pieceLength, batch.take(), this.#lane);
    if (answered >= 0) return;
    if (count === 1 || answered !== answer.invalid) {
      this.#drops.add("interface", count);
      return;
    }
    // A kernel that does not cut datagrams (before Linux 6.2) gets each for itself, from now on.
    this.#gathers = false;
    for (let i = 0; i < count; i++) {
      batch.single(i);
      if (this.#tun.write(pieceAt, pieceLength, 1, this.#lane) < 0) {
        this.#drops.add("interface");
      }
    }
  }

  /** Does for such a kernel what it does not. False: the packet was not of that kind. */
  #cut(
    peer: Peer,
    packet: IpPacket,
    at: Int32Array,
    length: Int32Array,
    pieces: number,
  ): boolean {
    const { bytes, view } = this.#memory;
    const size = udpHeaders(packet);
    if (size === 0 || view.getUint8(at[0]! + 1) !== gsoType.udp || size > length[0]!) return false;
    const lane = laneOf(peer, packet);
    const gsoSize = view.getUint16(at[0]! + 4, true);
    cutDatagrams(
      bytes,
      view,
      at,
      length,
      pieces,
      size,
      gsoSize,
      this.#headerAt,
      this.#cuts,
      (n) => {
        if (this.#tun.write(this.#cuts.at, this.#cuts.length, n, lane) < 0) {
          this.#drops.add("interface");
        }
      },
    );
    return true;
  }
}

/** TCP fills a queue as far as it can; nothing of another peer, and no datagram of the same one, is to wait behind it. */
function laneOf(peer: Peer, { protocol }: IpPacket): number {
  return 2 * peer.index + (protocol === ipProtocol.tcp ? 0 : 1);
}

/** Bytes from the virtio header on that were read of the packet. */
function headersOf({ headerLength, protocol }: IpPacket): number {
  return virtioHeader + headerLength + (protocol === ipProtocol.tcp ? 20 : 8);
}

import type { PacketFilter } from "../filter/packet_filter.ts";
import { filterVerdict } from "../filter/types.ts";
import { IpPacket, ipProtocol, parseProblem } from "../packet/ip_packet.ts";
import { gsoType, virtioHeader } from "../super_packet/virtio_header.ts";
import { fragmentBit, segmentHead, segmentOverhead } from "../wire/segment.ts";
import type { Dispatch } from "./dispatch.ts";
import type { Drops } from "./drops.ts";
import { chooseWay, flowHash } from "./flow_hash.ts";
import {
  largestMessage,
  largestSlot,
  sealedBeforeSaid,
  smallestPath,
  trainBytes,
  trainSegments,
  turnBytes,
} from "./limits.ts";
import type { Peer } from "./peer.ts";
import type { LoopMemory, LoopPorts } from "./ports.ts";
import type { SealKey } from "./seal_key.ts";
import type { LoopState } from "./state.ts";
import type { ParitySender } from "./parity_sender.ts";
import { TooBig } from "./too_big.ts";
import type { Trains } from "./trains.ts";
import type { Way } from "./way.ts";

/** Pieces of the largest packet in the smallest segments, and one more. */
const mostPieces = 130;
/** An IPv6 packet of the largest size with its virtio header. */
const largestPacket = largestMessage + 64;

/** From the interface to the wire. */
export class Transmit {
  readonly #ports: LoopPorts;
  readonly #memory: LoopMemory;
  readonly #state: LoopState;
  readonly #filter: PacketFilter;
  readonly #drops: Drops;
  readonly #dispatch: Dispatch;
  readonly #trains: Trains;
  readonly #parity: ParitySender;
  readonly #tooBig: TooBig;
  readonly #packet = new IpPacket();
  /** Where packets are read to, a head before each piece. */
  readonly #landing: number;
  readonly #scratch: number;
  /** Payload bytes of a piece: as the last packet's way has it, so that most land as they are to be sent. */
  #slot = smallestPath.ipv4 - segmentOverhead;

  constructor(
    ports: LoopPorts,
    state: LoopState,
    filter: PacketFilter,
    drops: Drops,
    dispatch: Dispatch,
    trains: Trains,
    parity: ParitySender,
  ) {
    const { memory } = ports;
    this.#ports = ports;
    this.#memory = memory;
    this.#state = state;
    this.#filter = filter;
    this.#drops = drops;
    this.#dispatch = dispatch;
    this.#trains = trains;
    this.#parity = parity;
    this.#tooBig = new TooBig(memory, ports.tun);
    this.#landing = memory.allocate(largestPacket + mostPieces * segmentOverhead + 2 * largestSlot);
    this.#scratch = memory.allocate(largestPacket);
  }

  /**
   * Takes packets from the interface until there are no more, or as many as a turn has.
   * @returns whether there may be more
   */
  run(packets: number, now: number): boolean {
    let more = true;
    let bytes = 0;
    for (let i = 0; i < packets && more && bytes < turnBytes; i++) {
      const length = this.#one(now);
      more = length > 0;
      bytes += length;
    }
    this.#trains.flushAll();
    this.#parity.flush();
    return more;
  }

  /** @returns bytes of the packet; less than 1 when there was none */
  #one(now: number): number {
    const slot = this.#slot;
    const stride = slot + segmentOverhead;
    const at = this.#landing + segmentHead;
    const pieces = Math.min(mostPieces, Math.ceil(largestPacket / slot));
    const length = this.#ports.tun.read(at, stride, slot, pieces);
    if (length < 1) return length;
    const packet = this.#packet;
    const ip = at + virtioHeader;
    if (
      packet.parse(this.#memory.view, ip, length - virtioHeader) !== parseProblem.none ||
      // Headers longer than a piece: nothing sends that.
      (length > slot && virtioHeader + packet.headerLength + 20 > slot)
    ) {
      this.#drops.add("unparsable");
      return length;
    }
    const peer = this.#state.routes.lookup(packet.destination);
    if (peer === undefined) {
      this.#drops.add("noPeer");
      return length;
    }
    const verdict = this.#filter.outbound(packet, peer, now / 1_000);
    if (verdict !== filterVerdict.pass) {
      this.#drops.addVerdict(verdict);
      return length;
    }
    const { sealing, usable: ways } = peer;
    if (sealing === undefined) {
      this.#drops.add("noKey");
      return length;
    }
    const way = ways.length < 2 ? ways[0] : ways[chooseWay(flowHash(packet), ways)];
    if (way === undefined) {
      this.#drops.add("noPath");
      return length;
    }
    if (!this.#dispatch.takes(peer, way)) {
      this.#drops.add("queueFull");
      return length;
    }
    // In one piece, or not at all: that is what its sender has asked for, and it can be told.
    if (
      packet.dontFragment && length > way.capacity &&
      this.#tooBig.tell(way, packet, at, length, now)
    ) {
      this.#drops.add("tooBig");
      return length;
    }
    peer.packetsOut++;
    peer.bytesOut += length - virtioHeader;
    if (length <= slot && length <= way.slot) this.#small(peer, way, sealing, at, length, now);
    else this.#large(peer, way, sealing, length, now);
    this.#slot = way.slot;
    if (sealing.sealed - sealing.said >= sealedBeforeSaid) {
      sealing.said = sealing.sealed;
      this.#ports.say({ say: "sealed", peer: peer.index, segments: sealing.sealed });
    }
    return length;
  }

  /** A packet of one segment joins those before it. */
  #small(
    peer: Peer,
    way: Way,
    key: SealKey,
    from: number,
    length: number,
    now: number,
  ): void {
    const bytes = length + segmentOverhead;
    const { trafficClass } = this.#packet;
    const train = this.#trains.place(peer, way, bytes, trafficClass);
    const at = train.at + train.length;
    this.#memory.bytes.copyWithin(at + segmentHead, from, from + length);
    const counter = key.seal(at, (fragmentBit.last | way.bits) >>> 0, way.label, length);
    this.#trains.added(train, bytes);
    // It lies there until the next one is placed, sent or not.
    if (way.parity.active) this.#parity.add(peer, way, key, at, bytes, counter, trafficClass, now);
  }

  /** A packet of several segments is sealed where it landed, and leaves from there. */
  #large(peer: Peer, way: Way, key: SealKey, length: number, now: number): void {
    this.#trains.flush(way);
    const { slot } = way;
    if (slot !== this.#slot) this.#cutAnew(length, this.#slot, slot);
    const trailer = this.#trailer();
    if (trailer > 0) this.#repeatHeader(length, trailer, slot);
    const total = length + trailer;
    const stride = slot + segmentOverhead;
    const count = Math.ceil(total / slot);
    const landing = this.#landing;
    const { label, bits } = way;
    const last = count - 1;
    for (let i = 0; i < last; i++) {
      key.seal(landing + i * stride, (bits | i) >>> 0, label, slot);
    }
    const rest = total - last * slot;
    const word = (fragmentBit.last | bits | trailer << 16 | last) >>> 0;
    const counter = key.seal(landing + last * stride, word, label, rest);
    const { trafficClass } = this.#packet;
    const whole = last * stride + rest + segmentOverhead;
    const most = Math.min(trainSegments, Math.floor(trainBytes / stride)) * stride;
    for (let from = 0; from < whole; from += most) {
      const bytes = Math.min(most, whole - from);
      this.#dispatch.send(peer, way, landing + from, bytes, stride, trafficClass);
    }
    if (!way.parity.active) return;
    for (let i = 0; i < count; i++) {
      const bytes = i < last ? stride : rest + segmentOverhead;
      const at = landing + i * stride;
      this.#parity.add(peer, way, key, at, bytes, counter - last + i, trafficClass, now);
    }
    // Behind its packet: what is missing is waited for only for so many segments.
    this.#parity.flush();
  }

  /** Bytes of the headers that are worth repeating: of a packet the far end can make smaller ones of. */
  #trailer(): number {
    const { view } = this.#memory;
    const at = this.#landing + segmentHead;
    const { headerLength, protocol } = this.#packet;
    if (view.getUint8(at + 1) === gsoType.none) return 0;
    if (protocol === ipProtocol.udp) return virtioHeader + headerLength + 8;
    if (protocol !== ipProtocol.tcp) return 0;
    const tcp = (view.getUint8(at + virtioHeader + headerLength + 12) >>> 4) * 4;
    return virtioHeader + headerLength + tcp;
  }

  /** Copies the first bytes behind the last one. */
  #repeatHeader(length: number, trailer: number, slot: number): void {
    const { bytes } = this.#memory;
    const from = this.#landing + segmentHead;
    const stride = slot + segmentOverhead;
    const full = Math.floor(length / slot);
    const used = length - full * slot;
    const to = from + full * stride + used;
    const first = Math.min(trailer, slot - used);
    bytes.copyWithin(to, from, from + first);
    if (first < trailer) {
      bytes.copyWithin(from + (full + 1) * stride, from + first, from + trailer);
    }
  }

  /** A packet that landed in pieces of another size than its way has. */
  #cutAnew(length: number, from: number, to: number): void {
    const { bytes } = this.#memory;
    const landing = this.#landing + segmentHead;
    const scratch = this.#scratch;
    for (let done = 0, at = landing; done < length; done += from, at += from + segmentOverhead) {
      bytes.copyWithin(scratch + done, at, at + Math.min(from, length - done));
    }
    for (let done = 0, at = landing; done < length; done += to, at += to + segmentOverhead) {
      bytes.copyWithin(at, scratch + done, scratch + Math.min(done + to, length));
    }
  }
}

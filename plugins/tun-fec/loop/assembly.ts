import { headerRoom } from "../super_packet/received_packet.ts";
import type { Channel } from "./channel.ts";
import type { Delivery } from "./delivery.ts";
import type { Drops } from "./drops.ts";
import {
  gapPatience,
  openPackets,
  openPacketsOfAll,
  overtakenSegments,
  repairPatience,
} from "./limits.ts";
import { type OpenPacket, PacketPool } from "./open_packet.ts";
import type { LoopMemory } from "./ports.ts";

/**
 * Makes packets of opened segments, in the order each way was given them. What is whole at once is handed on at once; a packet with
 * a gap holds those behind it up until the gap is closed, or has to be taken for lost.
 */
export class Assembly {
  readonly #memory: LoopMemory;
  readonly #delivery: Delivery;
  readonly #drops: Drops;
  readonly #pool = new PacketPool(openPacketsOfAll);
  /** Those with packets that wait. */
  readonly #channels: Channel[] = [];
  readonly #headerAt: number;
  readonly #saveAt: number;
  readonly #oneAt = new Int32Array(1);
  readonly #oneLength = new Int32Array(1);
  readonly #write: () => void;
  /** For `#write`: the packet that is being salvaged. */
  #channel: Channel | undefined;
  #packet: OpenPacket | undefined;
  #now = 0;

  constructor(memory: LoopMemory, delivery: Delivery, drops: Drops) {
    this.#memory = memory;
    this.#delivery = delivery;
    this.#drops = drops;
    this.#headerAt = memory.allocate(headerRoom);
    this.#saveAt = memory.allocate(headerRoom);
    this.#write = () => this.#hand(this.#channel!, this.#packet!);
  }

  /** Whether anything waits. */
  get waits(): boolean {
    return this.#channels.length > 0;
  }

  /**
   * Takes an opened segment.
   * @param word its fragment word
   * @param at of its payload
   * @param oldest where in the stream of received bytes it lies
   */
  take(
    channel: Channel,
    word: number,
    counter: number,
    at: number,
    length: number,
    tos: number,
    oldest: number,
    now: number,
  ): void {
    const index = word & 0xffff;
    const last = word >>> 31 === 1;
    const trailer = word >>> 16 & 0xff;
    if (last && index === 0 && channel.waiting.length === 0) {
      this.#oneAt[0] = at;
      this.#oneLength[0] = length - trailer;
      const { peer } = channel.key;
      this.#delivery.deliver(peer, this.#oneAt, this.#oneLength, 1, length - trailer, tos, now);
      return;
    }
    const base = counter - index;
    // What was missing of a packet that has been given up: only a packet of its own is not too late.
    const late = base <= channel.done && !(last && index === 0);
    const packet = late ? undefined : this.#find(channel, base, oldest, now, tos);
    if (packet === undefined) {
      this.#drops.add("gap");
      return;
    }
    packet.touched = now;
    if (packet.take(index, last, trailer, at, length, tos)) {
      channel.waitingSegments++;
    } else {
      this.#drops.add("unparsable");
      this.#remove(channel, packet);
    }
    // Most segments are followed by others of their packet.
    if (channel.waiting.length > 1 || packet.ends) this.#advance(channel, now);
  }

  /** Gives up what has waited too long. */
  expire(now: number): void {
    for (let i = this.#channels.length - 1; i >= 0; i--) this.#advance(this.#channels[i]!, now);
  }

  /** Gives up what lies in memory that is to be received into. @param before of the stream of received bytes */
  release(before: number, now: number): void {
    for (let i = this.#channels.length - 1; i >= 0; i--) {
      const channel = this.#channels[i]!;
      while (channel.waiting.some(({ oldest }) => oldest < before)) this.#giveUp(channel, now);
    }
  }

  /** Forgets what waits: the key is gone. */
  forget(channel: Channel): void {
    while (channel.waiting.length > 0) this.#remove(channel, channel.waiting[0]!);
  }

  #find(
    channel: Channel,
    base: number,
    oldest: number,
    now: number,
    tos: number,
  ): OpenPacket | undefined {
    const { waiting } = channel;
    let at = waiting.length;
    while (at > 0 && waiting[at - 1]!.base > base) at--;
    if (at > 0 && waiting[at - 1]!.base === base) return waiting[at - 1];
    if (waiting.length === openPackets) {
      if (at === 0) return undefined;
      this.#giveUp(channel, now);
      at--;
    }
    const packet = this.#pool.take() ?? this.#spare(now);
    if (packet === undefined) return undefined;
    // Room may have been made in this very channel.
    at = Math.min(at, waiting.length);
    packet.begin(base, oldest, now, tos);
    waiting.splice(at, 0, packet);
    if (waiting.length === 1) this.#channels.push(channel);
    return packet;
  }

  /** There are as many as there may be: the channel that has waited longest gives one up. */
  #spare(now: number): OpenPacket | undefined {
    this.#giveUp(this.#channels[0]!, now);
    return this.#pool.take();
  }

  /** Hands on from the front what is whole, and what has waited in vain. */
  #advance(channel: Channel, now: number): void {
    const { waiting } = channel;
    while (waiting.length > 0) {
      const packet = waiting[0]!;
      if (packet.complete) this.#finish(channel, packet, now);
      else if (isLost(channel, packet, now)) this.#giveUp(channel, now);
      else return;
    }
  }

  /** Makes the best of the first packet. */
  #giveUp(channel: Channel, now: number): void {
    const packet = channel.waiting[0]!;
    if (packet.complete) {
      this.#finish(channel, packet, now);
      return;
    }
    this.#channel = channel;
    this.#packet = packet;
    this.#now = now;
    this.#drops.add("gap");
    if (packet.chunk > 0) {
      const { bytes, view } = this.#memory;
      packet.salvage(bytes, view, packet.chunk, this.#headerAt, this.#saveAt, this.#write);
    }
    this.#remove(channel, packet);
  }

  #finish(channel: Channel, packet: OpenPacket, now: number): void {
    this.#now = now;
    packet.whole();
    this.#hand(channel, packet);
    this.#remove(channel, packet);
  }

  #hand({ key: { peer } }: Channel, packet: OpenPacket): void {
    const { pieceAt, pieceLength, pieces, tos } = packet;
    if (pieces === 0) return;
    let total = 0;
    for (let i = 0; i < pieces; i++) total += pieceLength[i]!;
    this.#delivery.deliver(peer, pieceAt, pieceLength, pieces, total, tos, this.#now);
  }

  #remove(channel: Channel, packet: OpenPacket): void {
    const { waiting } = channel;
    channel.waitingSegments -= packet.count;
    if (packet.base > channel.done) channel.done = packet.base;
    if (waiting[0] === packet) waiting.shift();
    else waiting.splice(waiting.indexOf(packet), 1);
    this.#pool.give(packet);
    if (waiting.length === 0) this.#channels.splice(this.#channels.indexOf(channel), 1);
  }
}

/** Whether what is missing of the first packet will not come any more. */
function isLost(channel: Channel, packet: OpenPacket, now: number): boolean {
  const repairs = channel.repairs(now);
  if (now - packet.touched >= (repairs ? repairPatience : gapPatience)) return true;
  // Segments of one way are sent in order: those that came although sent later have overtaken what is missing.
  const behind = channel.waitingSegments - packet.count;
  if (!packet.ends && behind === 0) return false;
  return behind + packet.count - packet.firstMissing >=
    (repairs ? channel.reach : overtakenSegments);
}

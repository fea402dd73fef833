import { maxChunks, ReceivedPacket } from "../super_packet/received_packet.ts";
import { ecn } from "./ecn.ts";

/** A packet whose segments have not all arrived, or that waits for one before it. */
export class OpenPacket extends ReceivedPacket {
  /** Counter of its first segment. */
  base = 0;
  /** Bytes of every segment but the last; 0 while only that is here. */
  chunk = 0;
  /** Where in the stream of received bytes its oldest segment begins. */
  oldest = 0;
  /** When its newest segment came. */
  touched = 0;
  /** Outer DSCP and ECN. */
  tos = 0;
  /** A bit for each segment that is here. */
  readonly #here = new Uint32Array(maxChunks / 32);

  begin(base: number, oldest: number, now: number, tos: number): void {
    this.clear();
    this.base = base;
    this.chunk = 0;
    this.#here.fill(0);
    this.oldest = oldest;
    this.touched = now;
    this.tos = tos;
  }

  /** Takes a segment. False: no sender cuts a packet like this. */
  take(
    index: number,
    last: boolean,
    trailer: number,
    at: number,
    length: number,
    tos: number,
  ): boolean {
    if (!last) {
      if (this.chunk === 0) this.chunk = length;
      else if (this.chunk !== length) return false;
    }
    // Congestion that one segment met the whole packet has met.
    if ((tos & 3) === ecn.ce) this.tos = tos;
    if (index >= maxChunks) return false;
    this.#here[index >>> 5]! |= 1 << (index & 31);
    return this.add(index, last, trailer, at, length);
  }

  /** Index of the first segment that is missing. */
  get firstMissing(): number {
    for (let word = 0; word < this.#here.length; word++) {
      const absent = ~this.#here[word]!;
      if (absent !== 0) return word * 32 + 31 - Math.clz32(absent & -absent);
    }
    return maxChunks;
  }
}

/** Packets there are, taken and given back. */
export class PacketPool {
  readonly #free: OpenPacket[] = [];
  #left: number;

  /** @param size packets at most */
  constructor(size: number) {
    this.#left = size;
  }

  take(): OpenPacket | undefined {
    const packet = this.#free.pop();
    if (packet !== undefined || this.#left === 0) return packet;
    this.#left--;
    return new OpenPacket();
  }

  give(packet: OpenPacket): void {
    this.#free.push(packet);
  }
}

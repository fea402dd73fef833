import type { DirectionKey } from "../keys/key_agreement.ts";
import type { LoopEvent } from "./types.ts";

/**
 * What the loop stands on. Everything it handles lies in one memory that does not move; packets are named by where they lie, and
 * calls that take or give one return its bytes, or `-errno` as the kernel does.
 */
export interface LoopMemory {
  readonly bytes: Uint8Array;
  readonly view: DataView;
  /** @throws {Error} it is used up */
  allocate(size: number, align?: number): number;
}

/** The interface, seen from outside: what programs send is read here. */
export interface TunPort {
  /**
   * Takes the next packet, its virtio header first, cut into pieces of `size` bytes that begin `stride` bytes apart.
   * @returns its bytes; less than 1 when there is none
   */
  read(at: number, stride: number, size: number, count: number): number;
  /**
   * Hands over a packet that lies in pieces.
   * @param lane what answers it waits behind the answers of that lane only, as far as there are queues
   */
  write(at: Int32Array, length: Int32Array, pieces: number, lane: number): number;
}

/** One end on the wire. Handed out by a `WirePort` and good for that one only. */
export interface WireAddress {
  /** `ip:port` */
  readonly text: string;
  /** The outer IP header is IPv4's. */
  readonly isIpv4: boolean;
  equals(other: WireAddress): boolean;
  copyFrom(other: WireAddress): void;
}

/** The data port. */
export interface WirePort {
  /** Takes a message: one datagram, or several of one size of which only the last may be shorter. */
  receive(at: number, room: number): number;
  /** Of the message received last: bytes of each datagram in it... */
  readonly segment: number;
  /** ...its DSCP and ECN... */
  readonly tos: number;
  /** ...and who sent it. Filled again with the next one. */
  readonly from: WireAddress;
  /** Sends `length` bytes as datagrams of `segment` bytes, of which the last may be shorter. */
  send(to: WireAddress, at: number, length: number, segment: number, tos: number): number;
  /** @throws {Error} not an address, or there are too many */
  address(endpoint: string): WireAddress;
  release(address: WireAddress): void;
}

/** A key that seals and opens in the loop's memory, in place. */
export interface SegmentCipher extends Disposable {
  seal(nonceAt: number, at: number, length: number, tagAt: number): void;
  /** False: not authentic; what lies there then is of no use. */
  open(nonceAt: number, at: number, length: number, tagAt: number): boolean;
}

/** Everything outside of the loop. */
export interface LoopPorts {
  readonly memory: LoopMemory;
  readonly tun: TunPort;
  readonly wire: WirePort;
  /** @throws {Error} the cipher is not to be had here */
  cipher(key: DirectionKey): SegmentCipher;
  say(event: LoopEvent): void;
}

/** What the ports answer besides bytes: Linux's numbers, negative. */
export const answer = { again: -11, invalid: -22, io: -5, tooLong: -90 } as const;

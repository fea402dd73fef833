import type { Arena } from "../../../ffi/libc/arena.ts";
import { FfiError } from "../../../ffi/libc/errors.ts";
import type { Libc } from "../../../ffi/libc/libc.ts";
import { ReceiveBatch } from "../../../ffi/udp/receive_batch.ts";
import { SendBatch } from "../../../ffi/udp/send_batch.ts";
import { AddressSlot } from "../../../ffi/udp/socket_address.ts";
import type { UdpSocket } from "../../../ffi/udp/udp_socket.ts";
import { largestMessage, mostAddresses, trainSegments } from "../loop/limits.ts";
import { answer, type WireAddress, type WirePort } from "../loop/ports.ts";
import { NativeWireAddress, slotOf } from "./wire_address.ts";

/** Messages taken in one call where each is one datagram, and after how many such ones that were there at once. */
const several = 16;
const inARow = 4;

/** What a port needs to know of the socket; it stays with whoever opened it. */
export type DataSocket = Pick<UdpSocket, "fd" | "family" | "segmentation">;

/** A UDP socket, as the loop sees it. */
export class NativeWirePort implements WirePort {
  /** Set after each wait: whether it is worth a call. */
  mayReceive = true;
  /** The socket has taken no more: it is to be waited for. */
  full = false;
  readonly #socket: DataSocket;
  readonly #arena: Arena;
  readonly #one: ReceiveBatch;
  readonly #many: ReceiveBatch;
  /** Where the messages of `#many` lie, one behind the other. */
  readonly #stage: number;
  readonly #fromOne: NativeWireAddress;
  readonly #fromMany: readonly NativeWireAddress[];
  /** Of `#many`: messages that were taken, and the next one to be handed on. */
  #taken = 0;
  #next = 0;
  /** The message received last: of which batch, and which of it. */
  #last: ReceiveBatch;
  #index = 0;
  /** Messages that were one datagram each since there were none: the kernel merges nothing here. */
  #alone = 0;
  readonly #sent: SendBatch;
  readonly #free: NativeWireAddress[] = [];
  #addresses = 0;
  /** Whether trains are the kernel's to cut. */
  #kernelCuts: boolean;
  #segment = 0;

  constructor(libc: Libc, arena: Arena, socket: DataSocket) {
    this.#socket = socket;
    this.#arena = arena;
    this.#one = this.#last = new ReceiveBatch(libc, arena, socket.family, 1);
    this.#many = new ReceiveBatch(libc, arena, socket.family, several);
    this.#stage = arena.allocate(several * largestMessage);
    for (let i = 0; i < several; i++) {
      this.#many.set(i, this.#stage + i * largestMessage, largestMessage);
    }
    this.#fromOne = new NativeWireAddress(this.#one.from[0]!);
    this.#fromMany = this.#many.from.map((slot) => new NativeWireAddress(slot));
    this.#sent = new SendBatch(libc, arena, trainSegments);
    this.#kernelCuts = socket.segmentation;
  }

  get from(): NativeWireAddress {
    return this.#last === this.#one ? this.#fromOne : this.#fromMany[this.#index]!;
  }

  /** Whether there are messages that the kernel has handed over already. */
  get holds(): boolean {
    return this.#next < this.#taken;
  }

  get segment(): number {
    return this.#segment;
  }

  get tos(): number {
    return this.#last.tos(this.#index);
  }

  receive(at: number, room: number): number {
    if (this.#next < this.#taken) return this.#handOn(at);
    if (!this.mayReceive) return answer.again;
    if (this.#alone >= inARow && room === largestMessage) return this.#receiveMany(at);
    const one = this.#one;
    one.set(0, at, room);
    const result = one.receive(this.#socket, 1);
    if (result < 0) {
      this.#drained();
      return result;
    }
    this.#last = one;
    this.#index = 0;
    return this.#note(one.length(0), one.segment(0));
  }

  /** Takes what waits, beside the place it is to come to, and hands the first on. */
  #receiveMany(at: number): number {
    const result = this.#many.receive(this.#socket, several);
    // Fewer than there is room for were all that there were.
    if (result < several) this.#drained();
    if (result < 0) return result;
    this.#taken = result;
    this.#next = 0;
    this.#last = this.#many;
    return this.#handOn(at);
  }

  /** There may be as little the next time: then one call for one is the cheapest. */
  #drained(): void {
    this.mayReceive = false;
    this.#alone = 0;
  }

  #handOn(at: number): number {
    const many = this.#many;
    const index = this.#index = this.#next++;
    const from = this.#stage + index * largestMessage;
    const length = many.length(index);
    this.#arena.bytes.copyWithin(at, from, from + length);
    return this.#note(length, many.segment(index));
  }

  #note(length: number, segment: number): number {
    this.#segment = segment || length;
    if (segment !== 0) this.#alone = 0;
    else if (this.mayReceive) this.#alone++;
    return length;
  }

  send(to: WireAddress, at: number, length: number, segment: number, tos: number): number {
    const result = this.#send(slotOf(to), at, length, segment, tos);
    if (result === answer.again) this.full = true;
    return result;
  }

  #send(slot: AddressSlot, at: number, length: number, segment: number, tos: number): number {
    if (segment < length && !this.#kernelCuts) {
      return this.#sendEach(slot, at, length, segment, tos);
    }
    this.#sent.set(0, slot, at, length, segment, tos);
    const result = this.#sent.send(this.#socket, 0, 1);
    if (result === 1) return length;
    if (segment >= length || (result !== answer.io && result !== answer.invalid)) return result;
    // A device that adds no checksums refuses trains, and some kernels say the same of datagrams that are too large: one by
    // one they go, or the answer is the right one.
    const sent = this.#sendEach(slot, at, length, segment, tos);
    if (sent >= 0) this.#kernelCuts = false;
    return sent;
  }

  /** @returns bytes of the datagrams that went, or -errno when none did */
  #sendEach(slot: AddressSlot, at: number, length: number, segment: number, tos: number): number {
    let done = 0;
    while (done < length) {
      let count = 0;
      for (let from = done; from < length && count < trainSegments; from += segment) {
        const size = Math.min(segment, length - from);
        this.#sent.set(count++, slot, at + from, size, 0, tos);
      }
      const sent = this.#sent.send(this.#socket, 0, count);
      if (sent < 0) return done === 0 ? sent : done;
      done = Math.min(length, done + sent * segment);
    }
    return done;
  }

  address(endpoint: string): NativeWireAddress {
    const address = this.#free.pop() ?? this.#allocate();
    try {
      address.set(endpoint);
      return address;
    } catch (error) {
      this.#free.push(address);
      throw error;
    }
  }

  release(address: WireAddress): void {
    if (address instanceof NativeWireAddress) this.#free.push(address);
  }

  #allocate(): NativeWireAddress {
    if (this.#addresses === mostAddresses) {
      throw new FfiError("FFI_ARGUMENT", `a data port knows ${mostAddresses} addresses at most`);
    }
    this.#addresses++;
    return new NativeWireAddress(new AddressSlot(this.#arena, this.#socket.family));
  }
}

import type { Arena } from "../../../ffi/libc/arena.ts";
import { FfiError } from "../../../ffi/libc/errors.ts";
import type { Libc } from "../../../ffi/libc/libc.ts";
import { ReceiveBatch } from "../../../ffi/udp/receive_batch.ts";
import { SendBatch } from "../../../ffi/udp/send_batch.ts";
import { AddressSlot } from "../../../ffi/udp/socket_address.ts";
import type { UdpSocket } from "../../../ffi/udp/udp_socket.ts";
import { mostAddresses, trainSegments } from "../loop/limits.ts";
import { answer, type WireAddress, type WirePort } from "../loop/ports.ts";
import { NativeWireAddress, slotOf } from "./wire_address.ts";

/** What a port needs to know of the socket; it stays with whoever opened it. */
export type DataSocket = Pick<UdpSocket, "fd" | "family" | "segmentation">;

/** A UDP socket, as the loop sees it. */
export class NativeWirePort implements WirePort {
  readonly from: NativeWireAddress;
  /** Set after each wait: whether it is worth a call. */
  mayReceive = true;
  /** The socket has taken no more: it is to be waited for. */
  full = false;
  readonly #socket: DataSocket;
  readonly #arena: Arena;
  readonly #received: ReceiveBatch;
  readonly #sent: SendBatch;
  readonly #free: NativeWireAddress[] = [];
  #addresses = 0;
  /** Whether trains are the kernel's to cut. */
  #kernelCuts: boolean;
  #segment = 0;

  constructor(libc: Libc, arena: Arena, socket: DataSocket) {
    this.#socket = socket;
    this.#arena = arena;
    this.#received = new ReceiveBatch(libc, arena, socket.family, 1);
    this.#sent = new SendBatch(libc, arena, trainSegments);
    this.#kernelCuts = socket.segmentation;
    this.from = new NativeWireAddress(this.#received.from[0]!);
  }

  get segment(): number {
    return this.#segment;
  }

  get tos(): number {
    return this.#received.tos(0);
  }

  receive(at: number, room: number): number {
    if (!this.mayReceive) return answer.again;
    const received = this.#received;
    received.set(0, at, room);
    const result = received.receive(this.#socket, 1);
    if (result < 0) {
      this.mayReceive = false;
      return result;
    }
    const length = received.length(0);
    this.#segment = received.segment(0) || length;
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

import type { Arena } from "../libc/arena.ts";
import type { Family } from "../libc/family.ts";
import { type Libc, MSG_DONTWAIT } from "../libc/libc.ts";
import { CONTROL_ROOM, readControl, type ReceivedControl } from "./control_messages.ts";
import {
  CONTROL_LENGTH,
  FLAGS,
  LENGTH,
  MessageHeaders,
  NAME,
  NAME_LENGTH,
} from "./message_headers.ts";
import { AddressSlot, LocalAddress } from "./socket_address.ts";
import type { UdpSocket } from "./udp_socket.ts";

const MSG_CTRUNC = 0x8;
const MSG_TRUNC = 0x20;

/** Room for received messages, and what is known about each. Valid until the next `receive()`. */
export class ReceiveBatch {
  /** By message: who sent it. */
  readonly from: readonly AddressSlot[];
  /** By message: where it came to, on a socket that tells. */
  readonly local: readonly LocalAddress[];
  readonly #libc: Libc;
  readonly #arena: Arena;
  readonly #headers: MessageHeaders;
  readonly #control: readonly ReceivedControl[];

  /** @throws {FfiError} FFI_ARGUMENT */
  constructor(libc: Libc, arena: Arena, family: Family, count: number) {
    this.#libc = libc;
    this.#arena = arena;
    this.#headers = new MessageHeaders(arena, count);
    const each = <T>(make: () => T) => Array.from({ length: count }, make);
    this.from = each(() => new AddressSlot(arena, family));
    this.local = each(() => new LocalAddress(arena));
    this.#control = each(() => ({ segment: 0, tos: 0 }));
    this.from.forEach((slot, index) => {
      arena.putAddress(this.#headers.header(index) + NAME, slot.offset);
    });
  }

  /** Message number `index` is to be put into `length` bytes at `offset`. @throws {FfiError} FFI_ARGUMENT */
  set(index: number, offset: number, length: number): void {
    this.#headers.setPiece(index, offset, length);
  }

  /**
   * Receives up to `count` messages, from number 0 on. Never waits.
   *
   * @returns how many came; or -errno, `WOULD_BLOCK` when there is none
   */
  receive(socket: Pick<UdpSocket, "fd">, count: number): number {
    this.#headers.requireRange(0, count);
    const { view } = this.#arena;
    const { calls } = this.#libc;
    for (let index = 0; index < count; index++) {
      const header = this.#headers.header(index);
      // The kernel has put in what was used of them the last time.
      view.setUint32(header + NAME_LENGTH, this.from[index]?.length ?? 0, true);
      view.setUint32(header + CONTROL_LENGTH, CONTROL_ROOM, true);
    }
    const address = this.#headers.address(0);
    let received = 1;
    if (count === 1) {
      const length = calls.recvmsg(socket.fd, address, MSG_DONTWAIT);
      if (length < 0) return -this.#libc.errno;
      view.setUint32(this.#headers.header(0) + LENGTH, length, true);
    } else {
      received = calls.recvmmsg(socket.fd, address, count, MSG_DONTWAIT, 0n);
      if (received < 0) return -this.#libc.errno;
    }
    for (let index = 0; index < received; index++) this.#readControl(index);
    return received;
  }

  /** Bytes of a message. */
  length(index: number): number {
    this.#headers.requireRange(index, 1);
    return this.#arena.view.getUint32(this.#headers.header(index) + LENGTH, true);
  }

  /** The size of the datagrams merged into a message, of which only the last may be shorter; 0: it is one datagram. */
  segment(index: number): number {
    return this.#control[index]?.segment ?? 0;
  }

  /** ECN and DSCP of a message, on a socket that tells. */
  tos(index: number): number {
    return this.#control[index]?.tos ?? 0;
  }

  /** Whether a message, or what was to be told of it, was longer than the room for it. */
  truncated(index: number): boolean {
    this.#headers.requireRange(index, 1);
    const flags = this.#arena.view.getUint32(this.#headers.header(index) + FLAGS, true);
    return (flags & (MSG_TRUNC | MSG_CTRUNC)) !== 0;
  }

  #readControl(index: number): void {
    const header = this.#headers.header(index);
    const used = this.#arena.view.getUint32(header + CONTROL_LENGTH, true);
    const [control, local] = [this.#control[index], this.local[index]];
    if (control === undefined || local === undefined) return;
    readControl(this.#arena, this.#headers.control(index), used, control, local);
  }
}

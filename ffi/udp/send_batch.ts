import type { Arena } from "../libc/arena.ts";
import { type Libc, MSG_DONTWAIT } from "../libc/libc.ts";
import { writeControl } from "./control_messages.ts";
import { CONTROL_LENGTH, MessageHeaders, NAME, NAME_LENGTH } from "./message_headers.ts";
import type { AddressSlot, LocalAddress } from "./socket_address.ts";
import type { UdpSocket } from "./udp_socket.ts";

/** Most datagrams that older kernels cut one send into. */
export const MOST_SEGMENTS = 64;
/** Most bytes of one send: UDP's own limit over IPv4. */
export const MOST_BYTES = 65_507;

/** Messages to send, each to its own peer. */
export class SendBatch {
  readonly #libc: Libc;
  readonly #arena: Arena;
  readonly #headers: MessageHeaders;

  /** @throws {FfiError} FFI_ARGUMENT */
  constructor(libc: Libc, arena: Arena, count: number) {
    this.#libc = libc;
    this.#arena = arena;
    this.#headers = new MessageHeaders(arena, count);
  }

  /**
   * Message number `index` is `length` bytes at `offset`. Memory and address are read when it is sent, not before.
   *
   * @param segment the bytes are a train: datagrams of this size, of which only the last may be shorter; 0: one datagram
   * @param tos ECN and DSCP; 0: the socket's own
   * @param source the local address to send from; undefined: the system chooses
   * @throws {FfiError} FFI_ARGUMENT
   */
  set(
    index: number,
    to: AddressSlot,
    offset: number,
    length: number,
    segment = 0,
    tos = 0,
    source?: LocalAddress,
  ): void {
    this.#headers.setPiece(index, offset, length);
    const header = this.#headers.header(index);
    const { view } = this.#arena;
    this.#arena.putAddress(header + NAME, to.offset);
    view.setUint32(header + NAME_LENGTH, to.length, true);
    const control = this.#headers.control(index);
    // A train of one is sent plainly: nothing needs to be cut.
    const cut = segment < length ? segment : 0;
    const used = writeControl(this.#arena, control, to, cut, tos, source);
    view.setUint32(header + CONTROL_LENGTH, used, true);
  }

  /**
   * Sends messages `first` to `first + count - 1`. Never waits.
   *
   * @returns how many went; or -errno when not even the first did: `WOULD_BLOCK` when the socket's buffer is full, `-EMSGSIZE`
   * when a datagram is too large for the path, `-EINVAL` or `-EIO` when a train cannot be cut
   */
  send(socket: Pick<UdpSocket, "fd">, first: number, count: number): number {
    this.#headers.requireRange(first, count);
    const address = this.#headers.address(first);
    const { calls } = this.#libc;
    if (count === 1) {
      return calls.sendmsg(socket.fd, address, MSG_DONTWAIT) < 0 ? -this.#libc.errno : 1;
    }
    const sent = calls.sendmmsg(socket.fd, address, count, MSG_DONTWAIT);
    return sent < 0 ? -this.#libc.errno : sent;
  }
}

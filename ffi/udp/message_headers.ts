import type { Arena } from "../libc/arena.ts";
import { FfiError } from "../libc/errors.ts";
import { CONTROL_ROOM } from "./control_messages.ts";

/*
 * struct mmsghdr, 64 bytes: struct msghdr (name 0, name length 8, iov 16, iov count 24, control 32, control length 40,
 * flags 48), then u32 the length that came or went, 56. The same on both architectures and with musl.
 */
export const HEADER = 64;
export const NAME = 0;
export const NAME_LENGTH = 8;
const IOV = 16;
const IOV_COUNT = 24;
const CONTROL = 32;
export const CONTROL_LENGTH = 40;
export const FLAGS = 48;
export const LENGTH = 56;
const IOVEC = 16;
/** UIO_MAXIOV: Linux takes no more messages in one call. */
const MOST = 1024;

/** Headers for several messages of one piece each, laid out once; a call per batch only changes what changes. */
export class MessageHeaders {
  readonly count: number;
  readonly #arena: Arena;
  readonly #headers: number;
  readonly #iovecs: number;
  readonly #controls: number;

  /** @throws {FfiError} FFI_ARGUMENT */
  constructor(arena: Arena, count: number) {
    if (!Number.isInteger(count) || count < 1 || count > MOST) {
      throw new FfiError("FFI_ARGUMENT", `a batch has 1 to ${MOST} messages, not ${count}`);
    }
    this.#arena = arena;
    this.count = count;
    this.#headers = arena.allocate(count * HEADER);
    this.#iovecs = arena.allocate(count * IOVEC);
    this.#controls = arena.allocate(count * CONTROL_ROOM);
    for (let index = 0; index < count; index++) {
      const header = this.header(index);
      arena.putAddress(header + IOV, this.#iovecs + index * IOVEC);
      arena.view.setUint32(header + IOV_COUNT, 1, true);
      arena.putAddress(header + CONTROL, this.control(index));
    }
  }

  header(index: number): number {
    return this.#headers + index * HEADER;
  }

  control(index: number): number {
    return this.#controls + index * CONTROL_ROOM;
  }

  /** The address of a header, for the call. */
  address(index: number): bigint {
    return this.#arena.address(this.header(index));
  }

  /** Message number `index` is, or is to fill, `length` bytes at `offset`. @throws {FfiError} FFI_ARGUMENT */
  setPiece(index: number, offset: number, length: number): void {
    this.requireRange(index, 1);
    this.#arena.requireRange(offset, length);
    const at = this.#iovecs + index * IOVEC;
    this.#arena.putAddress(at, offset);
    this.#arena.view.setUint32(at + 8, length, true);
  }

  /** @throws {FfiError} FFI_ARGUMENT there are no such messages */
  requireRange(first: number, count: number): void {
    if (!(first >= 0 && count >= 1 && first + count <= this.count)) {
      throw new FfiError(
        "FFI_ARGUMENT",
        `a batch of ${this.count} messages has none from ${first} to ${first + count - 1}`,
      );
    }
  }
}

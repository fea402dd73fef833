import type { Arena } from "./arena.ts";
import { FfiError } from "./errors.ts";

/** struct iovec: a pointer and a length. */
const IOVEC = 16;
/** UIO_MAXIOV: Linux takes no more in one call. */
const MOST = 1024;

/** A list of pieces of an arena that one call reads from or writes to, in order. */
export class IoVector {
  /** Where the list itself lies in the arena. */
  readonly offset: number;
  readonly address: bigint;
  readonly capacity: number;
  readonly #arena: Arena;

  /** @throws {FfiError} FFI_ARGUMENT */
  constructor(arena: Arena, capacity: number) {
    if (!Number.isInteger(capacity) || capacity < 1 || capacity > MOST) {
      throw new FfiError("FFI_ARGUMENT", `an I/O vector has 1 to ${MOST} pieces, not ${capacity}`);
    }
    this.#arena = arena;
    this.capacity = capacity;
    this.offset = arena.allocate(capacity * IOVEC);
    this.address = arena.address(this.offset);
  }

  /** Piece number `index` is `length` bytes at `offset`. @throws {FfiError} FFI_ARGUMENT */
  set(index: number, offset: number, length: number): void {
    this.requireCount(index + 1);
    this.#arena.requireRange(offset, length);
    const at = this.offset + index * IOVEC;
    this.#arena.putAddress(at, offset);
    // The high half of the length is never written: it stays 0.
    this.#arena.view.setUint32(at + 8, length, true);
  }

  /** @throws {FfiError} FFI_ARGUMENT there are not so many pieces */
  requireCount(count: number): void {
    if (!(count >= 1 && count <= this.capacity)) {
      throw new FfiError(
        "FFI_ARGUMENT",
        `an I/O vector of ${this.capacity} pieces has no ${count}`,
      );
    }
  }
}

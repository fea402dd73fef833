import { FfiError } from "./errors.ts";
import type { Libc } from "./libc.ts";

/*
 * The buffer-lifetime rule, kept by everything in ffi/:
 *
 * 1. Memory that native code may look at after the call that was given it (message headers, iovecs, buffers that one call names
 *    and a later one fills) lies in an Arena. An Arena does not move, and no garbage collector frees it.
 * 2. A JavaScript buffer is passed only as a `buffer` argument, and only for what the callee reads or writes before it returns.
 * 3. No address leaves ffi/. Above it memory is an Arena and an offset, and the range is checked wherever one is handed to native
 *    code: two comparisons per packet are cheaper than one corrupted heap.
 * 4. Whoever makes an Arena disposes of it, after everything that was laid out in it: file descriptors first, ciphers next, the
 *    Arena last. From then on its views are empty (they throw or read as undefined), they do not point to freed memory.
 */

const PROT_READ_WRITE = 0x3;
/** MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE: pages are there before the first packet needs them. */
const MAP_FLAGS = 0x2 | 0x20 | 0x8000;
const PAGE = 4096;
/** Offsets stay exact as 32-bit integers. */
const LARGEST = 1 << 30;

/** Memory outside of JavaScript's heap, whose addresses native code may keep. */
export class Arena implements Disposable {
  readonly size: number;
  /** All of it. Empty after disposal. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly view: DataView<ArrayBuffer>;
  readonly #libc: Libc;
  readonly #pointer: Deno.PointerObject;
  readonly #baseLow: number;
  readonly #baseHigh: number;
  /**
   * An address being made, as one number and as its halves. Read from here it goes into a call as it is: no bigint is ever
   * allocated, as BigInt() would, nor fetched from far away, as out of a table of them.
   */
  readonly #address = new BigUint64Array(1);
  readonly #halves = new Uint32Array(this.#address.buffer);
  #used = 0;
  /** The size; 0 once disposed. */
  #limit: number;

  /**
   * @param size in bytes, rounded up to pages
   * @throws {FfiError} FFI_ARGUMENT, or FFI_SYSCALL when there is no memory
   */
  constructor(libc: Libc, size: number) {
    if (!Number.isInteger(size) || size <= 0 || size > LARGEST) {
      throw new FfiError("FFI_ARGUMENT", `an arena has 1 to ${LARGEST} bytes, not ${size}`);
    }
    this.#libc = libc;
    this.size = Math.ceil(size / PAGE) * PAGE;
    const pointer = libc.calls.mmap(0n, BigInt(this.size), PROT_READ_WRITE, MAP_FLAGS, -1, 0n);
    const address = Deno.UnsafePointer.value(pointer);
    if (pointer === null || BigInt.asIntN(64, BigInt(address)) === -1n) {
      libc.check(-1, "mmap", `get ${this.size} bytes of memory`);
      throw new FfiError("FFI_SYSCALL", "mmap gave no memory", { syscall: "mmap" });
    }
    this.#pointer = pointer;
    this.#baseLow = Number(BigInt(address) & 0xffff_ffffn);
    this.#baseHigh = Number(BigInt(address) >> 32n);
    this.#limit = this.size;
    const buffer = Deno.UnsafePointerView.getArrayBuffer(pointer, this.size);
    this.bytes = new Uint8Array(buffer);
    this.view = new DataView(buffer);
  }

  /** Bytes not yet given out. */
  get free(): number {
    return this.size - this.#used;
  }

  /**
   * Takes the next `size` bytes and gives their offset. There is no way back but disposal.
   *
   * @param align a power of two up to a page; 64 is a cache line
   * @throws {FfiError} FFI_ARGUMENT it is full
   */
  allocate(size: number, align = 64): number {
    const at = Math.ceil(this.#used / align) * align;
    if (!Number.isInteger(size) || size < 0 || at + size > this.size) {
      throw new FfiError(
        "FFI_ARGUMENT",
        `the arena of ${this.size} bytes has no room for ${size} more`,
        { fields: { size: this.size, used: this.#used, wanted: size } },
      );
    }
    this.#used = at + size;
    return at;
  }

  /** The address of an offset, for a call. */
  address(offset: number): bigint {
    if (!(offset >= 0 && offset < this.#limit)) throw this.#outside(offset);
    const low = this.#baseLow + offset;
    this.#halves[0] = low;
    this.#halves[1] = low < 0x1_0000_0000 ? this.#baseHigh : this.#baseHigh + 1;
    return this.#address[0]!;
  }

  /** Writes the address of `target` at `at`, as C does with a pointer in a struct. */
  putAddress(at: number, target: number): void {
    const low = this.#baseLow + target;
    const carry = low >= 0x1_0000_0000;
    this.view.setUint32(at, carry ? low - 0x1_0000_0000 : low, true);
    this.view.setUint32(at + 4, this.#baseHigh + (carry ? 1 : 0), true);
  }

  /** @throws {FfiError} FFI_ARGUMENT when the range does not lie inside, or the arena is gone */
  requireRange(offset: number, length: number): void {
    if (!(offset >= 0 && length >= 0 && offset + length <= this.#limit)) {
      throw this.#outside(offset);
    }
  }

  #outside(offset: number): FfiError {
    return new FfiError("FFI_ARGUMENT", `offset ${offset} is outside the arena`, {
      fields: { offset, size: this.size },
    });
  }

  [Symbol.dispose](): void {
    if (this.#limit === 0) return;
    this.#limit = 0;
    // Detaches all views: what still uses them sees empty memory instead of a freed page.
    this.bytes.buffer.transfer(0);
    this.#libc.calls.munmap(this.#pointer, BigInt(this.size));
  }
}

import type { Arena } from "./arena.ts";
import { Errno } from "./errno.ts";
import { FfiError } from "./errors.ts";
import type { Libc } from "./libc.ts";

/** What a file is ready for. */
export const Ready = { read: 1, write: 4, error: 8, hangup: 16, invalid: 32 } as const;

/** struct pollfd: i32 fd, i16 events, i16 revents. */
const POLLFD = 8;

/** Waits for several files at once. */
export class Poller {
  readonly #libc: Libc;
  readonly #arena: Arena;
  readonly #at: number;
  readonly #address: bigint;
  readonly #count: bigint;
  readonly #capacity: number;

  /** @param capacity number of slots; an unused one is skipped */
  constructor(libc: Libc, arena: Arena, capacity: number) {
    this.#libc = libc;
    this.#arena = arena;
    this.#capacity = capacity;
    this.#count = BigInt(capacity);
    this.#at = arena.allocate(capacity * POLLFD);
    this.#address = arena.address(this.#at);
    for (let slot = 0; slot < capacity; slot++) this.set(slot, -1, 0);
  }

  /**
   * Slot `slot` waits for `events` (bits of `Ready`) of a file; -1 is none.
   *
   * @throws {FfiError} FFI_ARGUMENT
   */
  set(slot: number, fd: number, events: number): void {
    const at = this.#slot(slot);
    this.#arena.view.setInt32(at, fd, true);
    this.#arena.view.setInt32(at + 4, events, true);
  }

  /** What slot `slot` was ready for when the last wait ended; errors and hang-ups come unasked. */
  ready(slot: number): number {
    return this.#arena.view.getInt16(this.#slot(slot) + 6, true);
  }

  /**
   * Blocks the thread until a file is ready. For a thread that does nothing else.
   *
   * @param timeoutMs -1 waits for ever, 0 does not wait
   * @returns how many are ready; 0 also when a signal came
   * @throws {FfiError} FFI_SYSCALL
   */
  wait(timeoutMs: number): number {
    const result = this.#libc.calls.poll(this.#address, this.#count, timeoutMs);
    if (result >= 0) return result;
    if (this.#libc.errno === Errno.EINTR) return 0;
    return this.#libc.check(result, "poll", "wait for files");
  }

  /**
   * Waits without blocking the event loop, at the cost of two thread changes. One at a time; nothing ends it but the
   * timeout or a file, so have an `EventFd` among them.
   */
  async waitAsync(timeoutMs: number): Promise<number> {
    // errno belongs to the other thread then, and poll can fail in no other way than by a signal.
    return Math.max(
      0,
      await this.#libc.calls.poll_on_another_thread(this.#address, this.#count, timeoutMs),
    );
  }

  #slot(slot: number): number {
    if (slot >= 0 && slot < this.#capacity) return this.#at + slot * POLLFD;
    throw new FfiError("FFI_ARGUMENT", `a poller of ${this.#capacity} slots has no slot ${slot}`);
  }
}

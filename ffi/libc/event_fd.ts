import type { Arena } from "./arena.ts";
import type { Libc } from "./libc.ts";

/** EFD_CLOEXEC | EFD_NONBLOCK */
const FLAGS = 0x80000 | 0x800;

/** Wakes a thread that sits in `Poller.wait()`, from any thread of the process that knows the file descriptor. */
export class EventFd implements Disposable {
  readonly fd: number;
  readonly #libc: Libc;
  readonly #one: bigint;
  readonly #count: bigint;

  readonly #own: boolean;

  /**
   * @param fd one that another thread has made, and will close; undefined: a new one
   * @throws {FfiError} FFI_SYSCALL
   */
  constructor(libc: Libc, arena: Arena, fd?: number) {
    this.#libc = libc;
    this.#own = fd === undefined;
    const at = arena.allocate(16, 8);
    arena.view.setBigUint64(at, 1n, true);
    this.#one = arena.address(at);
    this.#count = arena.address(at + 8);
    this.fd = fd ?? libc.check(libc.calls.eventfd(0, FLAGS), "eventfd", "make an event");
  }

  /** Makes it readable. Signals before the next `clear()` add up to one. */
  signal(): void {
    // The one way it can fail is a count near 2^64, and that is readable already.
    this.#libc.calls.write(this.fd, this.#one, 8n);
  }

  /** Makes it unreadable again; whether it was signalled. */
  clear(): boolean {
    return this.#libc.calls.read(this.fd, this.#count, 8n) === 8;
  }

  [Symbol.dispose](): void {
    if (this.#own) this.#libc.closeFile(this.fd);
  }
}

import { architecture, libraryPaths, openLibrary } from "./dynamic_library.ts";
import { Errno } from "./errno.ts";
import { FfiError, syscallError } from "./errors.ts";

/*
 * Addresses are `usize` and cross as elements of a BigUint64Array (`Arena.address()`): a number costs ten times as much. Results are `i32`: an
 * `isize` would be a new bigint for each call, and no call here moves 2 GiB. `buffer` is for calls that are rare.
 */
const symbols = {
  __errno_location: { parameters: [], result: "pointer" },
  bind: { parameters: ["i32", "buffer", "u32"], result: "i32" },
  capget: { parameters: ["buffer", "buffer"], result: "i32" },
  close: { parameters: ["i32"], result: "i32" },
  eventfd: { parameters: ["u32", "i32"], result: "i32" },
  fcntl: { parameters: ["i32", "i32", "i32"], result: "i32" },
  getsockname: { parameters: ["i32", "buffer", "buffer"], result: "i32" },
  getsockopt: { parameters: ["i32", "i32", "i32", "buffer", "buffer"], result: "i32" },
  /** Variadic in C; on both architectures a variadic argument travels like any other. */
  ioctl: { parameters: ["i32", "usize", "buffer"], result: "i32" },
  ioctl_value: { name: "ioctl", parameters: ["i32", "usize", "usize"], result: "i32" },
  mmap: { parameters: ["usize", "usize", "i32", "i32", "i32", "i64"], result: "pointer" },
  munmap: { parameters: ["pointer", "usize"], result: "i32" },
  open: { parameters: ["buffer", "i32"], result: "i32" },
  poll: { parameters: ["usize", "usize", "i32"], result: "i32" },
  poll_on_another_thread: {
    name: "poll",
    parameters: ["usize", "usize", "i32"],
    result: "i32",
    nonblocking: true,
  },
  read: { parameters: ["i32", "usize", "usize"], result: "i32" },
  readv: { parameters: ["i32", "usize", "i32"], result: "i32" },
  recv: { parameters: ["i32", "buffer", "usize", "i32"], result: "i32" },
  recvmmsg: { parameters: ["i32", "usize", "u32", "i32", "usize"], result: "i32" },
  recvmsg: { parameters: ["i32", "usize", "i32"], result: "i32" },
  send: { parameters: ["i32", "buffer", "usize", "i32"], result: "i32" },
  sendmmsg: { parameters: ["i32", "usize", "u32", "i32"], result: "i32" },
  sendmsg: { parameters: ["i32", "usize", "i32"], result: "i32" },
  setsockopt: { parameters: ["i32", "i32", "i32", "buffer", "u32"], result: "i32" },
  socket: { parameters: ["i32", "i32", "i32"], result: "i32" },
  write: { parameters: ["i32", "usize", "usize"], result: "i32" },
  writev: { parameters: ["i32", "usize", "i32"], result: "i32" },
} as const satisfies Deno.ForeignLibraryInterface;

/** The C library's functions as `ffi/` calls them. */
export type LibcCalls = Deno.DynamicLibrary<typeof symbols>["symbols"];

/**
 * The C library, opened once per thread: `errno` belongs to a thread.
 *
 * Calls that are rare go through `check()`, which throws. Calls per packet use `calls` and hand on `-errno`, as the kernel
 * does: nothing is allocated for a socket buffer that is full.
 */
export class Libc implements Disposable {
  /** @internal */
  readonly calls: LibcCalls;
  readonly #errno: Int32Array;
  readonly #close: () => void;

  private constructor(library: Deno.DynamicLibrary<typeof symbols>) {
    this.calls = library.symbols;
    this.#close = () => library.close();
    const location = library.symbols.__errno_location();
    if (location === null) {
      throw new FfiError("FFI_LIBRARY", "the C library tells no place for errno");
    }
    // A view instead of a read: it costs nothing, and the place stays for as long as the thread lives.
    this.#errno = new Int32Array(Deno.UnsafePointerView.getArrayBuffer(location, 4));
  }

  /** @throws {FfiError} FFI_PERMISSION, FFI_LIBRARY */
  static open(): Libc {
    const arch = architecture();
    const names = {
      glibc: ["libc.so.6"],
      musl: [`libc.musl-${arch}.so.1`, `ld-musl-${arch}.so.1`],
    };
    const library = openLibrary(
      "libc",
      libraryPaths(names, arch),
      symbols,
      "pulse needs glibc or musl, in one of the usual places",
    );
    try {
      return new Libc(library);
    } catch (error) {
      library.close();
      if (!(error instanceof Deno.errors.NotCapable)) throw error;
      throw new FfiError(
        "FFI_PERMISSION",
        "native memory cannot be read with the ffi permission for single files; start deno with --allow-ffi",
        { cause: error },
      );
    }
  }

  /** The number of the last call on this thread that failed. Only right directly after a call that did. */
  get errno(): number {
    return this.#errno[0] ?? 0;
  }

  /**
   * The result of a call that must not fail.
   *
   * @throws {FfiError} FFI_SYSCALL; see `syscallError()` for what the arguments say
   */
  check(result: number, syscall: string, what: string, hint?: string): number {
    if (result >= 0) return result;
    throw syscallError(syscall, this.errno, what, hint);
  }

  /** Closes a file descriptor. Linux has closed it also where it answers with an error: nothing is left to do then. */
  closeFile(fd: number): void {
    this.calls.close(fd);
  }

  /** Sets an option that is an int; 0, or -errno. */
  setOption(fd: number, level: number, option: number, value: number): number {
    const result = this.calls.setsockopt(fd, level, option, new Int32Array([value]), 4);
    return result < 0 ? -this.errno : 0;
  }

  /** An option that is an int. @throws {FfiError} FFI_SYSCALL */
  getOption(fd: number, level: number, option: number): number {
    const value = new Int32Array(1);
    const length = new Uint32Array([4]);
    const result = this.calls.getsockopt(fd, level, option, value, length);
    this.check(result, `getsockopt(${level}, ${option})`, "read a socket option");
    return value[0] ?? 0;
  }

  /** Whether the thread has a capability in effect, by its number in capabilities(7). */
  hasCapability(number: number): boolean {
    // _LINUX_CAPABILITY_VERSION_3, this thread; then effective, permitted, inheritable, twice.
    const header = new Uint32Array([0x2008_0522, 0]);
    const sets = new Uint32Array(6);
    this.check(this.calls.capget(header, sets), "capget", "read the capabilities");
    return ((sets[(number >>> 5) * 3] ?? 0) >>> (number & 31) & 1) === 1;
  }

  [Symbol.dispose](): void {
    this.#close();
  }
}

/** For messages that are sent to a socket without waiting. */
export const MSG_DONTWAIT = 0x40;

/** What a call on a non-blocking file gives when it would have to wait: not an error. */
export const WOULD_BLOCK: number = -Errno.EAGAIN;

/** A C string. */
export function cString(text: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(`${text}\0`);
}

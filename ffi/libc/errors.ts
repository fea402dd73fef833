import { type ErrorFields, PulseError } from "../../core/errors/mod.ts";
import { Errno, errnoName } from "./errno.ts";

/** What went wrong at the border to native code. */
export type FfiErrorCode =
  /** A shared library, or a function in it, is not there. */
  | "FFI_LIBRARY"
  /** The process was started without the permission to load native code. */
  | "FFI_PERMISSION"
  /** A system call failed; `errno` says how. */
  | "FFI_SYSCALL"
  /** The kernel refused a netlink request; `errno` and its own words say why. */
  | "FFI_NETLINK"
  /** The kernel said something that this version does not understand. */
  | "FFI_MESSAGE"
  /** An argument that no call could be made with. */
  | "FFI_ARGUMENT"
  /** libcrypto refused a key or a buffer. */
  | "FFI_CRYPTO";

/** Every error of `ffi/`. */
export class FfiError extends PulseError {
  override readonly name = "FfiError";
  declare readonly code: FfiErrorCode;
  /** The call that failed, `ioctl(TUNSETIFF)`; empty when it was none. */
  readonly syscall: string;
  /** 0 when no call failed. */
  readonly errno: number;

  constructor(
    code: FfiErrorCode,
    message: string,
    { syscall = "", errno = 0, fields = {}, cause }: {
      readonly syscall?: string;
      readonly errno?: number;
      readonly fields?: ErrorFields;
      readonly cause?: unknown;
    } = {},
  ) {
    const call = syscall === "" ? {} : { syscall };
    const number = errno === 0 ? {} : { errno, errnoName: errnoName(errno) };
    super(code, message, { ...call, ...number, ...fields }, cause);
    this.syscall = syscall;
    this.errno = errno;
  }
}

/** What to do about a number, where the caller knows nothing better. */
const hints: ReadonlyMap<number, string> = new Map([
  [Errno.EPERM, "run as root or with CAP_NET_ADMIN"],
  [Errno.EACCES, "run as root or with CAP_NET_ADMIN"],
  [Errno.EADDRINUSE, "another program has it: choose another port"],
  [23, "the system has too many open files: raise fs.file-max"],
  [24, "the process has too many open files: raise its limit (ulimit -n)"],
]);

/**
 * A system call that failed, in words.
 *
 * @param syscall its name, with what tells calls of that name apart: `ioctl(TUNSETIFF)`
 * @param what was to be done by it: `open /dev/net/tun`
 * @param hint what to do about it; without one, what is known for the number
 */
export function syscallError(
  syscall: string,
  errno: number,
  what: string,
  hint: string | undefined = hints.get(errno),
  fields: ErrorFields = {},
): FfiError {
  const advice = hint === undefined ? "" : `; ${hint}`;
  const message = `cannot ${what}: ${syscall} failed with ${errnoName(errno)} (${errno})${advice}`;
  return new FfiError("FFI_SYSCALL", message, { syscall, errno, fields });
}

import { Arena } from "./arena.ts";
import { Errno } from "./errno.ts";
import { FfiError, syscallError } from "./errors.ts";
import { cString, type Libc } from "./libc.ts";

/** O_CLOEXEC, with O_RDONLY or O_WRONLY. */
const READ = 0x80000;
const WRITE = 0x80000 | 0x1;
/** Longer than any setting of the network's. */
const ROOM = 4096;

/** Parts as the kernel names them; an interface's name may hold dots, so they are not written with dots between them. */
const PARTS = /^[\w-]+(\/(?!\.{1,2}(\/|$))[\w.@:-]+)+$/;

/**
 * A setting of the kernel, `net/ipv4/ip_forward`, without the line's end. Those of the network are the ones of the namespace that
 * the thread is in.
 *
 * @returns undefined when the kernel has no such setting
 * @throws {FfiError} FFI_SYSCALL, FFI_ARGUMENT
 */
export function readSysctl(libc: Libc, name: string): string | undefined {
  const fd = open(libc, name, READ);
  if (fd === -Errno.ENOENT) return undefined;
  if (fd < 0) throw syscallError("open", -fd, `read the setting ${name}`);
  try {
    using arena = new Arena(libc, ROOM);
    const length = libc.calls.read(fd, arena.address(0), BigInt(ROOM));
    libc.check(length, "read", `read the setting ${name}`);
    return new TextDecoder().decode(arena.bytes.subarray(0, length)).trimEnd();
  } finally {
    libc.closeFile(fd);
  }
}

/** Changes a setting of the kernel. @throws {FfiError} FFI_SYSCALL no right, no such setting; FFI_ARGUMENT */
export function writeSysctl(libc: Libc, name: string, value: string): void {
  const what = `change the setting ${name}`;
  const bytes = new TextEncoder().encode(`${value}\n`);
  if (bytes.length > ROOM) throw new FfiError("FFI_ARGUMENT", `the value for ${name} is too long`);
  const fd = open(libc, name, WRITE);
  if (fd < 0) throw syscallError("open", -fd, what);
  try {
    using arena = new Arena(libc, ROOM);
    arena.bytes.set(bytes);
    libc.check(libc.calls.write(fd, arena.address(0), BigInt(bytes.length)), "write", what);
  } finally {
    libc.closeFile(fd);
  }
}

function open(libc: Libc, name: string, flags: number): number {
  if (!PARTS.test(name)) {
    throw new FfiError("FFI_ARGUMENT", `"${name}" cannot be the name of a kernel setting`);
  }
  const fd = libc.calls.open(cString(`/proc/sys/${name}`), flags);
  return fd < 0 ? -libc.errno : fd;
}

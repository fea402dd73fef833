import { Errno } from "../libc/errno.ts";
import { FfiError, syscallError } from "../libc/errors.ts";
import type { IoVector } from "../libc/io_vector.ts";
import { cString, type Libc } from "../libc/libc.ts";

const DEVICE = "/dev/net/tun";
/** O_RDWR | O_NONBLOCK | O_CLOEXEC */
const OPEN_FLAGS = 0x2 | 0x800 | 0x80000;

/** _IOW('T', 202, int) and so on: linux/if_tun.h. The size in them is int's, the argument of the first is a struct ifreq. */
const TUNSETIFF = 0x4004_54can;
const TUNSETOFFLOAD = 0x4004_54d0n;
const TUNGETIFF = 0x8004_54d2n;
/** Where the search for a file ends. */
const MOST_FILES = 65_536;
const IFREQ = 40;
const IFNAMSIZ = 16;

const IFF_TUN = 0x1;
const IFF_MULTI_QUEUE = 0x100;
const IFF_NO_PI = 0x1000;
const IFF_VNET_HDR = 0x4000;
const IFF_TUN_EXCL = 0x8000;

/** struct virtio_net_hdr, which stands before every packet: flags, gso_type, hdr_len, gso_size, csum_start, csum_offset. */
export const VNET_HEADER = 10;

/** What the kernel hands over unfinished, so that one packet of up to 64 KiB crosses instead of 45. Bits of linux/if_tun.h. */
export const Offload = {
  checksum: 0x01,
  tcp4: 0x02,
  tcp6: 0x04,
  tcpEcn: 0x08,
  ufo: 0x10,
  udp4: 0x20,
  udp6: 0x40,
} as const;

/** Best first: everything; without UDP segmentation, which came with Linux 6.2; nothing. */
const OFFLOADS = [0x7f, 0x0f, 0];

/** How to open a TUN interface. */
export interface TunOptions {
  /** At most 15 bytes; `%d` in it takes the next free number. */
  readonly name: string;
  /** True for an interface with several queues: open it once per queue, by the same name. @default {false} */
  readonly multiQueue?: boolean;
  /** Refuses to attach one more queue to an interface that exists. @default {false} */
  readonly exclusive?: boolean;
  /**
   * Takes over the file of an interface of that name that a thread of this process has left behind. A Worker that dies closes
   * nothing that native calls have opened.
   * @default {false}
   */
  readonly takeOver?: boolean;
  /** The offloads to try, best first; the last one must do. */
  readonly offloads?: readonly number[];
}

/** What one queue of a TUN interface does, on whichever thread: the file stays with whoever opened it. */
export class TunQueue {
  readonly fd: number;
  readonly #libc: Libc;

  /** @param libc of the thread that calls */
  constructor(libc: Libc, fd: number) {
    this.#libc = libc;
    this.fd = fd;
  }

  /**
   * Reads one packet, header first, into the first `count` pieces. Never waits.
   *
   * @returns bytes; or -errno, `WOULD_BLOCK` when there is none
   */
  read(into: IoVector, count: number): number {
    into.requireCount(count);
    const result = this.#libc.calls.readv(this.fd, into.address, count);
    return result < 0 ? -this.#libc.errno : result;
  }

  /**
   * Writes one packet, header first, from the first `count` pieces. Never waits.
   *
   * @returns bytes; or -errno: `-EINVAL` for what the kernel cannot make sense of, `-EIO` while the interface is down
   */
  write(from: IoVector, count: number): number {
    from.requireCount(count);
    const result = this.#libc.calls.writev(this.fd, from.address, count);
    return result < 0 ? -this.#libc.errno : result;
  }
}

/** One queue of a TUN interface. The interface goes with its last queue. */
export class Tun extends TunQueue implements Disposable {
  /** As the kernel gave it. */
  readonly name: string;
  /** Bits of `Offload` the kernel agreed to. */
  readonly offloads: number;
  readonly #libc: Libc;
  #closed = false;

  private constructor(libc: Libc, fd: number, name: string, offloads: number) {
    super(libc, fd);
    this.#libc = libc;
    this.name = name;
    this.offloads = offloads;
  }

  /**
   * Makes the interface, or attaches one more queue to it. Packets carry a virtio header. It is down and without address.
   *
   * @throws {FfiError} FFI_SYSCALL no device, no right, a name that is taken; FFI_ARGUMENT a name that no interface can have
   */
  static open(libc: Libc, options: TunOptions): Tun {
    const { name, multiQueue = false, exclusive = false } = options;
    const { offloads = OFFLOADS, takeOver = false } = options;
    const request = new Uint8Array(IFREQ);
    request.set(interfaceName(name));
    const flags = IFF_TUN | IFF_NO_PI | IFF_VNET_HDR | (multiQueue ? IFF_MULTI_QUEUE : 0) |
      (exclusive ? IFF_TUN_EXCL : 0);
    new DataView(request.buffer).setUint16(IFNAMSIZ, flags, true);
    const fd = libc.calls.open(cString(DEVICE), OPEN_FLAGS);
    if (fd < 0) throw openError(libc.errno);
    try {
      if (libc.calls.ioctl(fd, TUNSETIFF, request) < 0) {
        const { errno } = libc;
        const left = takeOver && errno === Errno.EBUSY ? findTuns(libc, name, 1)[0] : undefined;
        if (left === undefined) throw interfaceError(errno, name);
        const tun = new Tun(libc, left, name, agreeOnOffloads(libc, left, offloads));
        libc.closeFile(fd);
        return tun;
      }
      const given = new TextDecoder().decode(request.subarray(0, request.indexOf(0)));
      return new Tun(libc, fd, given, agreeOnOffloads(libc, fd, offloads));
    } catch (error) {
      libc.closeFile(fd);
      throw error;
    }
  }

  /**
   * Makes an interface of so many queues. To take over is to find those that were left behind: nobody reads them any more, and
   * what the kernel puts into them would be lost.
   *
   * @throws {FfiError} as `open`; FFI_SYSCALL EBUSY also for an interface that exists
   */
  static openQueues(libc: Libc, options: Omit<TunOptions, "multiQueue">, count: number): Tun[] {
    if (count === 1) return [Tun.open(libc, options)];
    const { name, takeOver = false, offloads = OFFLOADS } = options;
    using stack = new DisposableStack();
    const queues = (takeOver ? findTuns(libc, name, count) : []).map((fd) =>
      stack.use(new Tun(libc, fd, name, agreeOnOffloads(libc, fd, offloads)))
    );
    while (queues.length < count) {
      const exclusive = queues.length === 0;
      const each = { name: queues[0]?.name ?? name, offloads, multiQueue: true, exclusive };
      queues.push(stack.use(Tun.open(libc, each)));
    }
    stack.move();
    return queues;
  }

  /** Once: its number may be another file's by the second time. */
  [Symbol.dispose](): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#libc.closeFile(this.fd);
  }
}

/** This process's files of an interface, so many at most. */
function findTuns(libc: Libc, name: string, count: number): number[] {
  const found: number[] = [];
  const answer = new Uint8Array(IFREQ);
  const wanted = new TextEncoder().encode(`${name}\0`);
  for (let fd = 3; fd < MOST_FILES && found.length < count; fd++) {
    if (libc.calls.ioctl(fd, TUNGETIFF, answer) < 0) continue;
    if (wanted.every((byte, index) => answer[index] === byte)) found.push(fd);
  }
  return found;
}

function agreeOnOffloads(libc: Libc, fd: number, offloads: readonly number[]): number {
  let errno = 0;
  for (const bits of offloads) {
    if (libc.calls.ioctl_value(fd, TUNSETOFFLOAD, BigInt(bits)) >= 0) return bits;
    errno = libc.errno;
  }
  throw syscallError("ioctl(TUNSETOFFLOAD)", errno, "agree on offloads with the TUN driver");
}

/** The bytes of a name that dev_valid_name() of the kernel takes, with `%d` besides. */
function interfaceName(name: string): Uint8Array {
  const bytes = new TextEncoder().encode(name);
  if (!/^(?!\.{1,2}$)[^\s/:]+$/.test(name) || bytes.length >= IFNAMSIZ || bytes.includes(0)) {
    throw new FfiError(
      "FFI_ARGUMENT",
      `"${name}" cannot be the name of an interface: 1 to 15 bytes without spaces, "/" and ":"`,
    );
  }
  return bytes;
}

function openError(errno: number): FfiError {
  const missing = errno === Errno.ENOENT || errno === Errno.ENODEV || errno === Errno.ENXIO;
  const hint = missing
    ? "load the driver (modprobe tun), or give the container the device (--device /dev/net/tun)"
    : undefined;
  return syscallError("open", errno, `open ${DEVICE}`, hint, { path: DEVICE });
}

function interfaceError(errno: number, name: string): FfiError {
  const hint = errno === Errno.EBUSY
    ? "another program has an interface of that name: stop it, or choose another name"
    : errno === Errno.EINVAL
    ? "there is an interface of that name that is of another kind: choose another name"
    : undefined;
  return syscallError("ioctl(TUNSETIFF)", errno, `make the interface ${name}`, hint, { name });
}

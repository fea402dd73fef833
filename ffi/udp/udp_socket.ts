import { syscallError } from "../libc/errors.ts";
import { type Family, familyNumbers } from "../libc/family.ts";
import type { Libc } from "../libc/libc.ts";
import { decodeSocketAddress, encodeSocketAddress, type SocketAddress } from "./socket_address.ts";

/** SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC */
const TYPE = 2 | 0x800 | 0x80000;
const SOL_SOCKET = 1;
const SO_SNDBUF = 7;
const SO_RCVBUF = 8;
const SO_REUSEPORT = 15;
const SO_SNDBUFFORCE = 32;
const SO_MARK = 36;
const SO_RCVBUFFORCE = 33;
const SOL_IP = 0;
const IP_PKTINFO = 8;
const IP_MTU_DISCOVER = 10;
const IP_RECVTOS = 13;
const SOL_IPV6 = 41;
const IPV6_MTU_DISCOVER = 23;
const IPV6_V6ONLY = 26;
const IPV6_RECVPKTINFO = 49;
const IPV6_RECVTCLASS = 66;
const SOL_UDP = 17;
const UDP_SEGMENT = 103;
const UDP_GRO = 104;

/**
 * What happens to datagrams that are larger than the path takes: `fragment` as the system likes, `refuse` them by what the
 * system knows of the path (EMSGSIZE), or `probe`: send what the interface takes, unfragmented, for one's own discovery.
 */
export type PathMtu = "fragment" | "refuse" | "probe";

/** IP_PMTUDISC_*; IPv6's are the same. */
const pmtuModes: Readonly<Record<PathMtu, number>> = { fragment: 0, refuse: 2, probe: 3 };

/** How to open a UDP socket. */
export interface UdpOptions extends SocketAddress {
  /** An IPv6 socket that speaks IPv4, too: `::` is both families' wildcard then. @default {true} */
  readonly dualStack?: boolean;
  /** Shares the port with other sockets that do. @default {false} */
  readonly reusePort?: boolean;
  /** Bytes of each of the kernel's buffers; it gives what it can. @default {8388608} */
  readonly bufferBytes?: number;
  /** Have datagrams of one size from one peer merged into one message, where the kernel can. @default {true} */
  readonly gro?: boolean;
  /** Tell each message's ECN and DSCP. @default {true} */
  readonly tos?: boolean;
  /** Tell which local address each message came to. @default {false} */
  readonly localAddress?: boolean;
  /** Of every packet that leaves, for routing rules; takes CAP_NET_ADMIN. @default {none} */
  readonly mark?: number;
  /** @default {"probe"} */
  readonly pathMtu?: PathMtu;
}

/** A UDP socket without a peer of its own. It never waits. */
export class UdpSocket implements Disposable {
  readonly fd: number;
  readonly family: Family;
  /** As bound: with the port that was chosen for port 0. */
  readonly address: SocketAddress;
  /** Whether received datagrams may come merged. */
  readonly gro: boolean;
  /** Whether a send may carry several datagrams. A device without checksum offload may still answer such a send with EIO. */
  readonly segmentation: boolean;
  /** Bytes that the kernel gave. */
  readonly buffers: { readonly receive: number; readonly send: number };
  readonly #libc: Libc;

  private constructor(libc: Libc, fd: number, family: Family, options: UdpOptions, bound = false) {
    const { dualStack = true, reusePort = false, bufferBytes = 8 << 20 } = options;
    const { gro = true, tos = true, localAddress = false, pathMtu = "probe" } = options;
    this.#libc = libc;
    this.fd = fd;
    this.family = family;
    const ipv6 = family === "ipv6";
    const ipv4 = !ipv6 || dualStack;
    const where = `${options.address} port ${options.port}`;
    const must = (level: number, option: number, value: number, name: string) => {
      const result = libc.setOption(fd, level, option, value);
      if (result < 0) throw syscallError(`setsockopt(${name})`, -result, `set up UDP on ${where}`);
    };
    if (ipv6 && !bound) must(SOL_IPV6, IPV6_V6ONLY, dualStack ? 0 : 1, "IPV6_V6ONLY");
    if (reusePort) must(SOL_SOCKET, SO_REUSEPORT, 1, "SO_REUSEPORT");
    if (options.mark !== undefined) must(SOL_SOCKET, SO_MARK, options.mark, "SO_MARK");
    const both = (v4: number, v6: number, value: number, name: string) => {
      if (ipv4) must(SOL_IP, v4, value, `IP_${name}`);
      if (ipv6) must(SOL_IPV6, v6, value, `IPV6_${name}`);
    };
    both(IP_MTU_DISCOVER, IPV6_MTU_DISCOVER, pmtuModes[pathMtu], "MTU_DISCOVER");
    if (tos) both(IP_RECVTOS, IPV6_RECVTCLASS, 1, "RECVTOS");
    if (localAddress) both(IP_PKTINFO, IPV6_RECVPKTINFO, 1, "PKTINFO");
    this.buffers = raiseBuffers(libc, fd, bufferBytes);
    this.gro = gro && libc.setOption(fd, SOL_UDP, UDP_GRO, 1) === 0;
    // 0 means "not by default" and changes nothing: only whether the kernel knows the option is asked.
    this.segmentation = libc.setOption(fd, SOL_UDP, UDP_SEGMENT, 0) === 0;
    if (!bound) {
      const local = encodeSocketAddress(family, options);
      libc.check(libc.calls.bind(fd, local, local.length), "bind", `listen on UDP ${where}`);
    }
    this.address = boundAddress(libc, fd) ?? options;
  }

  /**
   * Opens and binds a socket of the address's family.
   *
   * @throws {FfiError} FFI_SYSCALL the port is taken, say; FFI_ARGUMENT
   */
  static bind(libc: Libc, options: UdpOptions): UdpSocket {
    const family: Family = options.address.includes(":") ? "ipv6" : "ipv4";
    const fd = libc.calls.socket(familyNumbers[family], TYPE, 0);
    libc.check(fd, "socket", "make a UDP socket");
    try {
      return new UdpSocket(libc, fd, family, options);
    } catch (error) {
      libc.closeFile(fd);
      throw error;
    }
  }

  /** A socket that this process has already, bound there, with these options. @throws {FfiError} FFI_SYSCALL */
  static takeOver(libc: Libc, fd: number, options: UdpOptions): UdpSocket {
    return new UdpSocket(libc, fd, options.address.includes(":") ? "ipv6" : "ipv4", options, true);
  }

  [Symbol.dispose](): void {
    this.#libc.closeFile(this.fd);
  }
}

/** Where a socket is bound; undefined when the file is no bound IP socket. */
export function boundAddress(libc: Libc, fd: number): SocketAddress | undefined {
  const address = new Uint8Array(28);
  const length = new Uint32Array([address.length]);
  if (libc.calls.getsockname(fd, address, length) < 0) return undefined;
  return decodeSocketAddress(address.subarray(0, length[0]));
}

/** Past the system's limit where CAP_NET_ADMIN allows it, else up to the limit. Says what came of it. */
export function raiseBuffers(
  libc: Libc,
  fd: number,
  bytes: number,
): { readonly receive: number; readonly send: number } {
  for (
    const [force, plain] of [[SO_RCVBUFFORCE, SO_RCVBUF], [SO_SNDBUFFORCE, SO_SNDBUF]] as const
  ) {
    if (libc.setOption(fd, SOL_SOCKET, force, bytes) < 0) {
      libc.setOption(fd, SOL_SOCKET, plain, bytes);
    }
  }
  // The kernel doubles what it is asked for, for its own bookkeeping, and says so.
  return {
    receive: libc.getOption(fd, SOL_SOCKET, SO_RCVBUF) / 2,
    send: libc.getOption(fd, SOL_SOCKET, SO_SNDBUF) / 2,
  };
}

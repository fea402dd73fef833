import { Arena } from "../libc/arena.ts";
import { FfiError, syscallError } from "../libc/errors.ts";
import type { Libc } from "../libc/libc.ts";
import type { SocketAddress } from "./socket_address.ts";
import { type Steering, steeringProgram } from "./steering_program.ts";
import { boundAddress, raiseBuffers, type UdpOptions, UdpSocket } from "./udp_socket.ts";

const SOL_SOCKET = 1;
const SO_TYPE = 3;
const SOCK_DGRAM = 2;
const SO_REUSEPORT = 15;
const SO_SNDTIMEO = 21;
const SO_ATTACH_REUSEPORT_CBPF = 51;
const SOL_IPV6 = 41;
const IPV6_V6ONLY = 26;
/**
 * What tells a second socket from QUIC's when its thread has died and left it behind: a time that nothing waits for, because the
 * socket never waits. struct timeval of one second.
 */
const MARK = BigInt64Array.of(1n, 0n);
/** Where the search for a file descriptor ends. */
const MOST_FILES = 65_536;

/** Which port to share, and what comes to the new socket. */
export interface SharedPortOptions
  extends Omit<UdpOptions, "address" | "port" | "scopeId" | "reusePort" | "dualStack"> {
  /** Where the first socket is bound: what `Deno.QuicEndpoint.addr` says. */
  readonly with: SocketAddress;
  readonly steering: Steering;
  /** The port to take where sharing does not work. @default {0} */
  readonly fallbackPort?: number;
}

/** A socket on a shared port; or one on a port of its own, with the reason. */
export type SharedPort =
  | { readonly shared: true; readonly socket: UdpSocket }
  | { readonly shared: false; readonly socket: UdpSocket; readonly reason: FfiError };

/**
 * Opens a second socket on the port of a UDP socket that this process has already, without that one's help: QUIC keeps every
 * datagram but those that the steering marks. The first socket's buffers are raised, too. A second socket that a thread of this
 * process has left behind is taken over: beside it a third one would receive nothing.
 *
 * Between the binding of the second socket and the program that steers, some microseconds, either may get the other's
 * datagrams: the kernel takes the program only from a socket of the group. QUIC repeats what it has lost, and the owner of the
 * second socket must check what it receives anyway.
 *
 * @throws {FfiError} only when no socket can be had at all
 */
export function sharePort(libc: Libc, options: SharedPortOptions): SharedPort {
  const { with: first, steering, fallbackPort = 0, ...rest } = options;
  try {
    return { shared: true, socket: joinPort(libc, first, steering, rest) };
  } catch (error) {
    if (!(error instanceof FfiError)) throw error;
    const socket = UdpSocket.bind(libc, { ...rest, address: first.address, port: fallbackPort });
    return { shared: false, socket, reason: error };
  }
}

function joinPort(
  libc: Libc,
  first: SocketAddress,
  steering: Steering,
  options: Omit<UdpOptions, "address" | "port">,
): UdpSocket {
  const where = `${first.address} port ${first.port}`;
  const fds = findUdpSockets(libc, first);
  const fd = fds.find((each) => !isMarked(libc, each));
  if (fd === undefined) {
    throw new FfiError("FFI_ARGUMENT", `this process has no UDP socket on ${where}`);
  }
  const result = libc.setOption(fd, SOL_SOCKET, SO_REUSEPORT, 1);
  if (result < 0) throw syscallError("setsockopt(SO_REUSEPORT)", -result, `share ${where}`);
  if (options.bufferBytes !== undefined) raiseBuffers(libc, fd, options.bufferBytes);
  const dualStack = first.address.includes(":") && libc.getOption(fd, SOL_IPV6, IPV6_V6ONLY) === 0;
  const all = { ...options, ...first, dualStack, reusePort: true };
  const left = fds.find((each) => isMarked(libc, each));
  const socket = left === undefined
    ? UdpSocket.bind(libc, all)
    : UdpSocket.takeOver(libc, left, all);
  try {
    libc.check(
      libc.calls.setsockopt(socket.fd, SOL_SOCKET, SO_SNDTIMEO, MARK, 16),
      "setsockopt(SO_SNDTIMEO)",
      `share ${where}`,
    );
    attach(libc, socket.fd, steeringProgram(steering), where);
    return socket;
  } catch (error) {
    socket[Symbol.dispose]();
    throw error;
  }
}

/** The file descriptors of the process's own UDP sockets that are bound there. */
export function findUdpSockets(libc: Libc, { address, port }: SocketAddress): number[] {
  const found: number[] = [];
  for (let fd = 3; fd < MOST_FILES; fd++) {
    const bound = boundAddress(libc, fd);
    if (bound?.port !== port || bound.address !== address) continue;
    if (libc.getOption(fd, SOL_SOCKET, SO_TYPE) === SOCK_DGRAM) found.push(fd);
  }
  return found;
}

function isMarked(libc: Libc, fd: number): boolean {
  const time = new BigInt64Array(2);
  const length = new Uint32Array([16]);
  return libc.calls.getsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, time, length) >= 0 &&
    time[0] === MARK[0] && time[1] === MARK[1];
}

function attach(libc: Libc, fd: number, program: Uint8Array, where: string): void {
  using arena = new Arena(libc, 4096);
  const at = arena.allocate(program.length);
  arena.bytes.set(program, at);
  // struct sock_fprog: u16 number of instructions, padding, pointer to them.
  const header = arena.allocate(16);
  arena.view.setUint16(header, program.length / 8, true);
  arena.putAddress(header + 8, at);
  const value = arena.bytes.subarray(header, header + 16);
  const result = libc.calls.setsockopt(fd, SOL_SOCKET, SO_ATTACH_REUSEPORT_CBPF, value, 16);
  libc.check(result, "setsockopt(SO_ATTACH_REUSEPORT_CBPF)", `steer datagrams on ${where}`);
}

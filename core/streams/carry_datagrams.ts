import type { ByteStream } from "../sessions/types.ts";
import { DatagramStream, maxDatagramBytes } from "./datagram_stream.ts";

/** A flow in which nothing was said for so long is over; RFC 4787 section 4.3 asks for two minutes at least. */
export const datagramIdleMs = 120_000;

/** Where datagrams of a flow go, and the only place they are taken from. */
export interface DatagramTarget {
  readonly hostname: string;
  readonly port: number;
}

/**
 * Joins a stream of datagrams with a UDP socket of its own until the stream ends or nothing was said for `idleMs`. The socket is
 * closed then and the stream has ended. Never rejects.
 *
 * Towards the stream the kernel's socket buffer is the queue: what does not fit while the stream is slow is lost, as UDP may be.
 */
export async function carryDatagrams(
  stream: ByteStream,
  target: DatagramTarget,
  { idleMs = datagramIdleMs }: { readonly idleMs?: number } = {},
): Promise<void> {
  const socket = Deno.listenDatagram({
    transport: "udp",
    hostname: target.hostname.includes(":") ? "::" : "0.0.0.0",
    port: 0,
  });
  let heard = performance.now();
  const touch = () => heard = performance.now();
  const watch = setInterval(() => {
    if (performance.now() - heard >= idleMs) stream.reset();
  }, idleMs / 4);
  void stream.closed.then(() => closeSocket(socket));
  try {
    const datagrams = new DatagramStream(stream);
    await Promise.all([
      toSocket(datagrams, socket, target, touch),
      fromSocket(datagrams, socket, target, touch),
    ]);
  } catch {
    // The stream broke, which whoever holds its other end has learned from it; or the socket was closed because it ended.
  } finally {
    clearInterval(watch);
    stream.reset();
    closeSocket(socket);
  }
}

async function toSocket(
  datagrams: DatagramStream,
  socket: Deno.DatagramConn,
  target: DatagramTarget,
  touch: () => void,
): Promise<void> {
  const to: Deno.NetAddr = { transport: "udp", ...target };
  for (;;) {
    const payload = await datagrams.receive();
    if (payload === null) return closeSocket(socket);
    touch();
    // Longer than an IP packet, or no route just now: a lost datagram, as the sender of one has to expect.
    await socket.send(payload, to).catch(() => 0);
  }
}

async function fromSocket(
  datagrams: DatagramStream,
  socket: Deno.DatagramConn,
  { hostname, port }: DatagramTarget,
  touch: () => void,
): Promise<void> {
  const buffer = new Uint8Array(maxDatagramBytes);
  for (;;) {
    const [payload, from] = await socket.receive(buffer) as [Uint8Array, Deno.NetAddr];
    if (from.port !== port || from.hostname !== hostname) continue;
    touch();
    await datagrams.send(payload);
  }
}

function closeSocket(socket: Deno.DatagramConn): void {
  try {
    socket.close();
  } catch {
    // Closed already, by the other of the two that may.
  }
}

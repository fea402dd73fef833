import { lookup } from "node:dns/promises";
import { isIP } from "node:net";
import { errorText } from "../errors/mod.ts";
import type { NodeId } from "../identity/types.ts";
import { Deadline, StreamError } from "../streams/mod.ts";
import { type HostPort, isForbiddenIp, isLoopbackIp, parseHostPort } from "../address/mod.ts";

/** What a node lets others dial through it. */
export interface TargetPolicy {
  /** False: no target at all, as on a node that only relays. */
  readonly any: boolean;
  /** May this port of the machine's own loopback be reached? */
  allowsLocalPort(port: number): boolean;
  /**
   * Hears of each connection before a byte of its tunnel is written to it. What it gives is disposed when the connection is closed.
   * @param localPort of this side, @param origin the node at the other end of the tunnel
   */
  opened?(localPort: number, origin: NodeId): Disposable;
}

/** How long a target may take to answer its SYN. */
const connectTimeoutMs = 8_000;

/**
 * Dials a target named by a peer. A name is resolved once, every address is judged, and the judged address is what is dialled, so
 * that a name cannot change its mind in between.
 * @throws {StreamError} STREAM_TARGET_INVALID, STREAM_DENIED, STREAM_REFUSED, STREAM_HOST_UNREACHABLE, STREAM_TIMEOUT
 */
export async function dialTcpTarget(
  text: string,
  policy: TargetPolicy,
  signal: AbortSignal,
): Promise<Deno.TcpConn> {
  const target = parseTarget(text);
  if (!policy.any) {
    throw new StreamError("STREAM_DENIED", "This node only relays; it serves no targets");
  }
  const addresses = await resolve(target);
  for (const address of addresses) {
    if (isForbiddenIp(address)) {
      throw new StreamError(
        "STREAM_DENIED",
        `This node dials no link-local or metadata address (${text})`,
      );
    }
  }
  if (addresses.some(isLoopbackIp) && !policy.allowsLocalPort(target.port)) {
    throw new StreamError(
      "STREAM_DENIED",
      `This node does not let others reach its local port ${target.port}; its operator can with --allow-local ${target.port}`,
    );
  }
  let last: StreamError | undefined;
  for (const hostname of addresses.slice(0, 4)) {
    try {
      return await connect({ host: hostname, port: target.port }, signal);
    } catch (error) {
      if (!(error instanceof StreamError)) throw error;
      last = error;
    }
  }
  throw last ?? new StreamError("STREAM_HOST_UNREACHABLE", `${target.host} has no address`);
}

function parseTarget(text: string): HostPort {
  try {
    const target = parseHostPort(text);
    if (target.host !== "" && target.port > 0) return target;
  } catch (cause) {
    throw new StreamError(
      "STREAM_TARGET_INVALID",
      `"${text.slice(0, 80)}" is not host:port`,
      {},
      cause,
    );
  }
  throw new StreamError("STREAM_TARGET_INVALID", `"${text.slice(0, 80)}" lacks a host or a port`);
}

async function resolve(target: HostPort): Promise<string[]> {
  if (isIP(target.host) !== 0) return [target.host];
  if (target.host.toLowerCase() === "localhost") return ["127.0.0.1", "::1"];
  try {
    // getaddrinfo, so that this node's hosts file counts as it does for every other program on it.
    return (await lookup(target.host, { all: true })).map((entry) => entry.address);
  } catch (cause) {
    throw new StreamError(
      "STREAM_HOST_UNREACHABLE",
      `The name ${target.host} has no address at this node`,
      {},
      cause,
    );
  }
}

async function connect(address: HostPort, signal: AbortSignal): Promise<Deno.TcpConn> {
  using deadline = new Deadline(connectTimeoutMs, signal);
  try {
    const conn = await Deno.connect({
      hostname: address.host,
      port: address.port,
      signal: deadline.signal,
    });
    conn.setNoDelay(true);
    return conn;
  } catch (cause) {
    const at = `${address.host}:${address.port}`;
    if (deadline.signal.aborted) {
      throw new StreamError("STREAM_TIMEOUT", `${at} did not answer in time`, {}, cause);
    }
    if (cause instanceof Deno.errors.ConnectionRefused) {
      throw new StreamError("STREAM_REFUSED", `${at} refused the connection`, {}, cause);
    }
    if (/network is unreachable|ENETUNREACH/i.test(errorText(cause))) {
      throw new StreamError("STREAM_NET_UNREACHABLE", `There is no route to ${at}`, {}, cause);
    }
    throw new StreamError("STREAM_HOST_UNREACHABLE", `${at}: ${errorText(cause)}`, {}, cause);
  }
}

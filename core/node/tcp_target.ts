import { errorText } from "../errors/mod.ts";
import { Deadline, StreamError } from "../streams/mod.ts";
import type { HostPort } from "../address/mod.ts";
import { resolveTarget, type TargetPolicy } from "./target.ts";

/** How long a target may take to answer its SYN. */
const connectTimeoutMs = 8_000;

/**
 * Dials a target named by a peer.
 * @throws {StreamError} STREAM_TARGET_INVALID, STREAM_DENIED, STREAM_REFUSED, STREAM_HOST_UNREACHABLE, STREAM_TIMEOUT
 */
export async function dialTcpTarget(
  text: string,
  policy: TargetPolicy,
  signal: AbortSignal,
): Promise<Deno.TcpConn> {
  const { host, port, addresses } = await resolveTarget(text, policy);
  let last: StreamError | undefined;
  for (const hostname of addresses.slice(0, 4)) {
    try {
      return await connect({ host: hostname, port }, signal);
    } catch (error) {
      if (!(error instanceof StreamError)) throw error;
      last = error;
    }
  }
  throw last ?? new StreamError("STREAM_HOST_UNREACHABLE", `${host} has no address`);
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

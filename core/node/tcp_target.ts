import { errorText } from "../errors/mod.ts";
import { Deadline, StreamError } from "../streams/mod.ts";
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
  const { port, addresses } = await resolveTarget(text, policy);
  let last: StreamError | undefined;
  for (const hostname of addresses.slice(0, 4)) {
    try {
      return await connect(text, { hostname, port }, signal);
    } catch (error) {
      if (!(error instanceof StreamError)) throw error;
      last = error;
    }
  }
  throw last ?? new StreamError("STREAM_HOST_UNREACHABLE", `${text} has no address`);
}

/** @param at the target as the peer named it, for messages: it knows nothing of the addresses behind */
async function connect(
  at: string,
  address: { readonly hostname: string; readonly port: number },
  signal: AbortSignal,
): Promise<Deno.TcpConn> {
  using deadline = new Deadline(connectTimeoutMs, signal);
  try {
    const conn = await Deno.connect({ ...address, signal: deadline.signal });
    conn.setNoDelay(true);
    return conn;
  } catch (cause) {
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

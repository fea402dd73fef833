import { lookup } from "node:dns/promises";
import { isIP } from "node:net";
import { isForbiddenIp, isLoopbackIp } from "../../core/address/mod.ts";
import { errorText, PulseError } from "../../core/errors/mod.ts";

/** How long an address may take to answer. */
const connectTimeoutMs = 10_000;
const maxAddresses = 4;

/**
 * Whether an IP literal may not be dialled for a client: what is only for this machine (loopback, unspecified), what is only for this
 * link (link-local, where clouds keep their credentials; multicast, broadcast), and the metadata services that live elsewhere.
 * Private networks are allowed: whoever switches `direct` on asks for what this machine can reach.
 */
export function isForbidden(address: string): boolean {
  return isForbiddenIp(address) || isLoopbackIp(address);
}

/** How names become addresses, and which of those are out of bounds. */
export interface DialRules {
  resolve(name: string): Promise<readonly string[]>;
  forbids(address: string): boolean;
}

const systemRules: DialRules = { resolve: resolveName, forbids: isForbidden };

/**
 * Dials a host outside the mesh from this machine. A name is resolved once, every address is judged, and what was judged is
 * what is dialled, so that a name cannot change its mind in between.
 * @throws {PulseError} STREAM_DENIED, STREAM_REFUSED, STREAM_HOST_UNREACHABLE, STREAM_NET_UNREACHABLE, STREAM_TIMEOUT
 */
export async function dialDirect(
  host: string,
  port: number,
  signal: AbortSignal,
  rules: DialRules = systemRules,
): Promise<Deno.TcpConn> {
  const addresses = await allowedAddresses(host, signal, rules);
  let last: unknown;
  for (const hostname of addresses.slice(0, maxAddresses)) {
    try {
      return await connect(hostname, port, signal);
    } catch (error) {
      signal.throwIfAborted();
      last = error;
    }
  }
  throw last ?? new PulseError("STREAM_HOST_UNREACHABLE", `${host} has no address`);
}

/**
 * The addresses of a host outside the mesh, when every one of them may be reached for a client.
 * @throws {PulseError} STREAM_DENIED, STREAM_HOST_UNREACHABLE
 */
export async function allowedAddresses(
  host: string,
  signal: AbortSignal,
  { resolve, forbids }: DialRules = systemRules,
): Promise<readonly string[]> {
  const addresses = isIP(host) !== 0 ? [host] : await resolve(host);
  signal.throwIfAborted();
  if (addresses.some(forbids)) {
    throw new PulseError("STREAM_DENIED", `${host} is an address that is dialled for nobody`);
  }
  return addresses;
}

async function resolveName(name: string): Promise<readonly string[]> {
  try {
    return (await lookup(name, { all: true })).map(({ address }) => address);
  } catch (cause) {
    throw new PulseError("STREAM_HOST_UNREACHABLE", `The name ${name} has no address`, {}, cause);
  }
}

async function connect(hostname: string, port: number, signal: AbortSignal): Promise<Deno.TcpConn> {
  const deadline = new AbortController();
  const timer = setTimeout(() => deadline.abort(), connectTimeoutMs);
  const at = `${hostname}:${port}`;
  try {
    const either = AbortSignal.any([signal, deadline.signal]);
    return await Deno.connect({ hostname, port, signal: either });
  } catch (cause) {
    if (deadline.signal.aborted) {
      throw new PulseError("STREAM_TIMEOUT", `${at} did not answer in time`, {}, cause);
    }
    const text = errorText(cause);
    if (cause instanceof Deno.errors.ConnectionRefused) {
      throw new PulseError("STREAM_REFUSED", `${at} refused the connection`, {}, cause);
    }
    if (cause instanceof Deno.errors.NotCapable) {
      throw new PulseError("STREAM_DENIED", `SOCKS may not dial ${at}: ${text}`, {}, cause);
    }
    const code = /network is unreachable/i.test(text)
      ? "STREAM_NET_UNREACHABLE"
      : "STREAM_HOST_UNREACHABLE";
    throw new PulseError(code, `${at}: ${text}`, {}, cause);
  } finally {
    clearTimeout(timer);
  }
}

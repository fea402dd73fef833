import { lookup } from "node:dns/promises";
import { isIP } from "node:net";
import type { NodeId } from "../identity/types.ts";
import { StreamError } from "../streams/mod.ts";
import { type HostPort, isForbiddenIp, isLoopbackIp, parseHostPort } from "../address/mod.ts";

/** What a node lets others reach through it. */
export interface TargetPolicy {
  /** False: no target at all, as on a node that only relays. */
  readonly any: boolean;
  /** May this port of the machine's own loopback be reached? */
  allowsLocalPort(port: number): boolean;
  /** Is this a proxy of this very node? None may be led to it, whatever else is allowed. @default none is */
  isOwnProxy?(address: string, port: number): boolean;
  /**
   * Those of a target's addresses that the stream may be led to. @default all
   * @throws {StreamError} STREAM_DENIED none of them
   */
  permitted?(addresses: readonly string[]): readonly string[];
  /**
   * Hears of each connection before a byte of its tunnel is written to it. What it gives is disposed when the connection is closed.
   * @param localPort of this side, @param origin the node at the other end of the tunnel
   */
  opened?(localPort: number, origin: NodeId): Disposable;
}

/** A target that may be reached, and where. */
export interface ResolvedTarget extends HostPort {
  /** In the order to be tried; each has been judged. */
  readonly addresses: readonly string[];
}

/**
 * Reads and judges a target named by a peer. A name is resolved once, every address is judged, and the judged address is what is
 * used, so that a name cannot change its mind in between.
 * @throws {StreamError} STREAM_TARGET_INVALID, STREAM_DENIED, STREAM_HOST_UNREACHABLE
 */
export async function resolveTarget(text: string, policy: TargetPolicy): Promise<ResolvedTarget> {
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
  if (addresses.some((address) => policy.isOwnProxy?.(address, target.port))) {
    throw new StreamError(
      "STREAM_DENIED",
      `Port ${target.port} is this node's SOCKS, which speaks for this node alone (${text})`,
    );
  }
  if (addresses.some(isLoopbackIp) && !policy.allowsLocalPort(target.port)) {
    throw new StreamError(
      "STREAM_DENIED",
      `This node does not let others reach its local port ${target.port}; its operator can with --allow-local ${target.port}`,
    );
  }
  return { ...target, addresses: policy.permitted?.(addresses) ?? addresses };
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

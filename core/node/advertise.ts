import { isIP } from "node:net";
import { formatHostPort, type HostPort, isWildcard, parseHostPort } from "../address/mod.ts";
import { PulseError } from "../errors/mod.ts";
import { parseIpv4, parseIpv6 } from "../identity/mod.ts";
import type { NodeId } from "../identity/types.ts";

/** `none`: reachable only over links this node dials itself. `auto`: what it listens on, plus how its peers see it. */
export type AdvertisePolicy = "auto" | "none" | readonly HostPort[];

/** Gossip carries at most 8 addresses a node; two of them may be reflexive. */
const maxAddresses = 8;
const maxObserved = 2;

/** True for addresses that mean something only on this machine or this cable. */
function isLocalOnly(ip: string): boolean {
  return ip === "::1" || ip.startsWith("127.") || ip.startsWith("169.254.") ||
    /^fe[89ab]/i.test(ip);
}

/** What a peer says it sees this node at, if that is an IP address and a port; its words would otherwise end up in our own record. */
export function readObservedAddress(bytes: Uint8Array): string | undefined {
  try {
    const address = parseHostPort(new TextDecoder().decode(bytes).toLowerCase());
    const isIp = parseIpv4(address.host) !== null || parseIpv6(address.host) !== null;
    return isIp && address.port > 0 && !isWildcard(address.host)
      ? formatHostPort(address)
      : undefined;
  } catch (error) {
    if (error instanceof PulseError) return undefined;
    throw error;
  }
}

/**
 * What a node tells others to dial. An address without a host is never said: read by somebody else it would mean that other node.
 * A wildcard listener stands for the machine's interface addresses.
 */
export function advertisedAddresses(options: {
  readonly policy: AdvertisePolicy;
  readonly listen: HostPort;
  /** The machine's interface addresses; empty when they may not be read. */
  readonly interfaces: readonly string[];
  /** How each neighbour sees our QUIC port, `ip:port`. */
  readonly observed: ReadonlyMap<NodeId, string>;
}): string[] {
  const { policy, listen } = options;
  if (policy === "none") return [];
  if (policy !== "auto") {
    return policy.filter((a) => !isWildcard(a.host)).map(formatHostPort).slice(0, maxAddresses);
  }
  const own = isWildcard(listen.host)
    ? options.interfaces.filter((ip) => isIP(ip) !== 0 && !isLocalOnly(ip))
    : [listen.host];
  const result = own.map((host) => formatHostPort({ host, port: listen.port }));
  if (isWildcard(listen.host)) {
    const votes = new Map<string, number>();
    for (const address of options.observed.values()) {
      if (!result.includes(address)) votes.set(address, (votes.get(address) ?? 0) + 1);
    }
    const best = [...votes].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1));
    result.splice(maxAddresses - maxObserved);
    result.push(...best.slice(0, maxObserved).map(([address]) => address));
  }
  return result.slice(0, maxAddresses);
}

import { isIP } from "node:net";
import { errorText } from "../errors/mod.ts";
import { formatHostPort, type HostPort, isWildcard, parseHostPort } from "../address/mod.ts";
import { ConfigError } from "./errors.ts";

/** The port pulse uses where none is given. */
export const defaultPort = 8443;
/** Gossip carries at most this many addresses per node. */
export const maxAdvertised = 8;

/**
 * Where to listen: `host:port`, `[v6]:port`, `:port` (all IPv4 addresses) or a host alone. Port 0 takes a free one. The host must be an
 * IP address: a name could resolve to something else tomorrow.
 * @returns `host:port`
 */
export function parseListen(text: string, wildcard: string): string {
  const { host, port } = parse(text);
  if (host !== "" && host !== "localhost" && isIP(host) === 0) {
    throw new ConfigError(
      `"${host}" is not an IP address of this machine; listen on an address such as 0.0.0.0:${defaultPort}, [::]:${defaultPort} or 127.0.0.1:${defaultPort}`,
    );
  }
  return formatHostPort({
    host: host === "" ? wildcard : host === "localhost" ? "127.0.0.1" : host,
    port,
  });
}

/** What others are told to dial. */
export interface Advertised {
  /** `auto`: what is listened on and how peers see it. `none`: nobody can dial this node. */
  readonly advertise: "auto" | "none" | readonly string[];
  /** Port that the address names, for the listener when nothing else says; null when it names none. */
  readonly port: number | null;
  /** True when every address is a loopback one, so listening anywhere else would be a surprise. */
  readonly loopback: boolean;
}

/**
 * `host:port`, several separated by commas, `:port` (the port alone; the host is found out), `auto` or `none`. An address without a
 * host is never told to others: to whoever reads it, it would mean himself.
 */
export function parseAdvertise(text: string): Advertised {
  if (text === "auto" || text === "none") return { advertise: text, port: null, loopback: false };
  const addresses = text.split(",").map((part) => parse(part.trim()));
  if (addresses.length > maxAdvertised) {
    throw new ConfigError(`at most ${maxAdvertised} addresses can be advertised`);
  }
  for (const { host, port } of addresses) {
    if (port === 0) throw new ConfigError("port 0 cannot be dialled; name the real port");
    if (host !== "" && isWildcard(host)) {
      throw new ConfigError(
        `${host} cannot be dialled; name this node's public address, or write :${port} to let pulse find it out`,
      );
    }
  }
  const named = addresses.filter((address) => address.host !== "");
  return {
    advertise: named.length === 0 ? "auto" : named.map(formatHostPort),
    port: addresses[0]?.port ?? null,
    loopback: named.length > 0 && named.every(({ host }) => isLoopback(host)),
  };
}

/** An address to dial: `host:port`, or a host alone with pulse's own port. */
export function parseDialable(text: string): string {
  const { host, port } = parse(text);
  if (host === "" || isWildcard(host)) {
    throw new ConfigError(
      `"${text}" names no host; write host:port, such as relay.example.com:${defaultPort}`,
    );
  }
  if (port === 0) throw new ConfigError(`port 0 of "${text}" cannot be dialled`);
  return formatHostPort({ host, port });
}

export function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || (isIP(host) === 4 && host.startsWith("127."));
}

function parse(text: string): HostPort {
  const bare = text.replace(/^\[([^\]]*)\]$/, "$1");
  if (isIP(bare) !== 0 || /^[a-z0-9_](?:[a-z0-9_.-]*[a-z0-9_.])?$/i.test(text)) {
    return { host: bare, port: defaultPort };
  }
  try {
    return parseHostPort(text);
  } catch (cause) {
    throw new ConfigError(errorText(cause), {}, cause);
  }
}

import { isIP } from "node:net";
import { errorText } from "../errors/mod.ts";
import { formatHostPort, isWildcard, parseHostPort } from "../address/mod.ts";
import { parseListen } from "./addresses.ts";
import { ConfigError } from "./errors.ts";

/** What a node's DNS server is told. */
export interface DnsSettings {
  /** `ip:port`. */
  readonly listen: string;
  /** `ip:port` each, in the order they are asked about names outside the mesh; empty: nobody is. */
  readonly upstream: readonly string[];
  /** Who is answered besides this machine: addresses (IPv6 in brackets) and IPv4 ranges. */
  readonly clients: readonly string[];
}

/** Where DNS listens unless told otherwise: port 53 takes root. */
export const defaultDnsListen = "127.0.0.1:5353";
const dnsPort = 53;
const maxUpstreams = 8;
const maxClients = 62;

/** An address without a port means pulse's own. */
export function parseDnsListen(text: string): string {
  const bare = bareIp(text);
  const port = defaultDnsListen.split(":")[1];
  return parseListen(bare === undefined ? text : `${bracketed(bare)}:${port}`, "127.0.0.1");
}

/** DNS servers, `ip` or `ip:port`: a name would have to be resolved by whom it names. */
export function parseDnsUpstreams(texts: readonly string[]): string[] {
  if (texts.length > maxUpstreams) throw new ConfigError(`at most ${maxUpstreams} upstreams`);
  return texts.map((text) => {
    const bare = bareIp(text);
    const { host, port } = bare === undefined ? address(text) : { host: bare, port: dnsPort };
    if (isIP(host) === 0 || isWildcard(host) || port === 0) {
      throw new ConfigError(
        `"${
          text.slice(0, 80)
        }" is not a DNS server; write its IP address, such as 192.0.2.1 or [2001:db8::1]:53`,
      );
    }
    return formatHostPort({ host, port });
  });
}

/** Clients on other machines, for the permission to answer them too. */
export function parseDnsClients(texts: readonly string[]): string[] {
  if (texts.length > maxClients) throw new ConfigError(`at most ${maxClients} clients and ranges`);
  return texts.map((text) => {
    const bare = bareIp(text);
    if (bare !== undefined) return bracketed(bare);
    const [, base = "", bits] = /^([0-9.]+)\/(\d{1,2})$/.exec(text) ?? [];
    if (isIP(base) === 4 && Number(bits) <= 32) return text;
    throw new ConfigError(
      `"${
        text.slice(0, 80)
      }" is not a client; write an IP address or an IPv4 range such as 192.168.1.0/24`,
    );
  });
}

function address(text: string): { host: string; port: number } {
  try {
    return parseHostPort(text);
  } catch (cause) {
    throw new ConfigError(errorText(cause), {}, cause);
  }
}

/** The address without brackets; undefined for what is none, or has a port. */
function bareIp(text: string): string | undefined {
  const bare = text.replace(/^\[([^\]]*)\]$/, "$1");
  return isIP(bare) === 0 ? undefined : bare;
}

function bracketed(ip: string): string {
  return ip.includes(":") ? `[${ip}]` : ip;
}

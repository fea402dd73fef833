import { isIP } from "node:net";
import { z } from "zod";
import { formatHostPort, type HostPort, parseHostPort } from "../../core/address/mod.ts";
import { errorText, PulseError } from "../../core/errors/mod.ts";
import type { Json } from "../../core/plugin/types.ts";
import { ClientList } from "./client_list.ts";

const address = z.string().max(300);

const schema = z.strictObject({
  listen: address.default("127.0.0.1:5353"),
  upstream: z.array(address).max(8).default([]),
  clients: z.array(z.string().max(64)).max(64).default([]),
  upstreamSource: z.array(z.string()).max(2).optional(),
});

/** Where to listen, whom to answer, and whom to ask about what is not of the mesh. */
export interface DnsConfig {
  readonly hostname: string;
  readonly port: number;
  readonly clients: ClientList;
  /** In the order they are asked; empty: only the mesh's own names are answered. */
  readonly upstreams: readonly HostPort[];
}

const loopback = ["127.0.0.0/8", "::1"];

/**
 * Reads the plugin's configuration. Programs on this machine are always served; others only where `clients` says so.
 * @throws {PulseError} DNS_CONFIG
 */
export function parseConfig(value: Json): DnsConfig {
  const result = schema.safeParse(value ?? {});
  if (!result.success) {
    const { path, message } = result.error.issues[0]!;
    throw wrong(`${path.join(".")}: ${message}`);
  }
  const { listen, upstream, clients } = result.data;
  const { host, port } = read("listen", listen);
  const upstreams = upstream.map((text) => read("upstream", text));
  for (const each of upstreams) {
    if (each.host === host && each.port === port) {
      throw wrong(`upstream: ${formatHostPort(each)} is this server itself`);
    }
  }
  return { hostname: host, port, clients: new ClientList([...loopback, ...clients]), upstreams };
}

function read(what: string, text: string): HostPort {
  try {
    const address = parseHostPort(text);
    if (isIP(address.host) === 0) throw wrong(`${what}: "${address.host}" is not an IP address`);
    return address;
  } catch (cause) {
    if (cause instanceof PulseError && cause.code === "DNS_CONFIG") throw cause;
    throw wrong(`${what}: ${errorText(cause)}`, cause);
  }
}

function wrong(what: string, cause?: unknown): PulseError {
  return new PulseError("DNS_CONFIG", `The configuration of DNS is wrong: ${what}`, {}, cause);
}

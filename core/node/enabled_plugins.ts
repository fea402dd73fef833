import project from "../../deno.json" with { type: "json" };
import { isLoopbackIp, parseHostPort } from "../address/mod.ts";
import type { DnsSettings } from "../config/dns_settings.ts";
import type { DaemonConfig } from "../config/mod.ts";
import { parseManifests } from "../plugin/mod.ts";
import type { Json, PluginManifest } from "../plugin/types.ts";

/** The plugins this configuration switches on, as `deno.json` declares them, with what each is told. */
export function enabledPlugins(config: DaemonConfig): {
  readonly manifests: Readonly<Record<string, PluginManifest>>;
  readonly configs: Readonly<Record<string, Json>>;
} {
  const declared = parseManifests(project.pulse.plugins);
  const configs: Record<string, Json> = {};
  if (config.ca) {
    configs.ca = {
      // A CA that is there already goes on with its own.
      ...(config.networkGiven && { network: config.network }),
      meshCidr: config.meshCidr,
      ...(config.caDays !== null && { days: config.caDays }),
      ...(config.caToken !== null && { token: config.caToken }),
    };
  }
  if (config.socks !== null) {
    configs.socks = {
      listen: config.socks,
      udp: datagramClients(config.socks),
      direct: config.socksDirect,
      users: config.socksUsers,
    };
  }
  if (config.scribe) configs.scribe = {};
  // Where nobody can ask over the network its Worker would only cost memory; the local socket does without it.
  if (config.api !== null) configs.metrics = {};
  if (config.dns !== null) configs.dns = dnsConfig(config.dns);
  if (config.tun !== null) {
    const { name, fec, queues, rekeySeconds } = config.tun;
    configs.exit = { interface: name };
    configs["tun-fec"] = { name, fec, queues, ...(rekeySeconds !== null && { rekeySeconds }) };
  }
  const manifests: Record<string, PluginManifest> = {};
  for (const name of Object.keys(configs)) {
    const manifest = declared[name];
    if (manifest !== undefined) manifests[name] = manifest;
  }
  return { manifests, configs };
}

/**
 * The hosts that SOCKS may send datagrams to: those its clients are on. Sending wants Deno's permission for the receiver's host, a
 * connection that is answered does not.
 */
function datagramClients(listen: string): true | readonly string[] {
  const { host } = parseHostPort(listen);
  return isLoopbackIp(host) ? [host.includes(":") ? `[${host}]` : host] : true;
}

/** Its permissions are made of the same lists: whom it may answer, whom it may ask, and from where. */
function dnsConfig({ listen, upstream, clients }: DnsSettings): Json {
  const asked = upstream.length > 0;
  return {
    listen,
    upstream,
    clients: ["127.0.0.0/8", "[::1]", ...clients],
    ...(asked && { upstreamSource: ["0.0.0.0:0", "[::]:0"] }),
  };
}

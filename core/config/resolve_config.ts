import { isAbsolute, join, resolve } from "node:path";
import { dataFiles } from "../control/types.ts";
import { errorText } from "../errors/mod.ts";
import { defaultMeshCidr, parseMeshCidr } from "../identity/mesh_address.ts";
import { defaultNetworkName, parseNetworkName } from "../identity/network_name.ts";
import { parseLogLevel } from "../log/log_level.ts";
import { type Advertised, parseAdvertise, parseDialable, parseListen } from "./addresses.ts";
import { checkCombination } from "./check_combination.ts";
import type { DaemonConfig } from "./daemon_config.ts";
import {
  defaultDnsListen,
  type DnsSettings,
  parseDnsClients,
  parseDnsListen,
  parseDnsUpstreams,
} from "./dns_settings.ts";
import { ConfigError } from "./errors.ts";
import { parseExitCidrs, parseUseExit } from "./exit_settings.ts";
import { defaultLocalPorts, parseLocalPorts } from "./local_ports.ts";
import { parseServices } from "./services.ts";
import { settingKeys, type SettingName, type Settings } from "./settings.ts";
import { defaultTunName, defaultTunQueues, parseTunName, parseTunQueues } from "./tun_settings.ts";

export interface ConfigSources {
  readonly flags: Settings;
  /** Settings of the file, and its path for messages. */
  readonly file?: { readonly path: string; readonly settings: Settings };
  /** The user's home; undefined where there is none. */
  readonly home: string | undefined;
  readonly cwd: string;
  readonly foreground: boolean;
}

/** Longest path of a unix socket, in bytes: `sun_path` less its terminating zero. */
const maxSocketPath = 107;

/**
 * Defaults, then the file, then the flags; every value checked.
 * @throws {ConfigError} names the setting, where it was written, and what to write instead
 */
export function resolveConfig(sources: ConfigSources): DaemonConfig {
  const { file } = sources;
  const flags = givenOnly(sources.flags);
  const settings: Settings = { ...file?.settings, ...flags };
  const origin = (name: SettingName) =>
    flags[name] !== undefined || file === undefined
      ? name === "peers" ? "the peer" : `--${settingKeys[name]}`
      : `"${settingKeys[name]}" in ${file.path}`;
  /** Runs a parser over one setting and says in its error which one it was. */
  const read = <T>(name: SettingName, parse: () => T): T => {
    try {
      return parse();
    } catch (cause) {
      throw new ConfigError(
        `${origin(name)}: ${errorText(cause)}`,
        { setting: settingKeys[name], origin: origin(name) },
        cause,
      );
    }
  };
  checkCombination(settings, origin);
  // A scribe serves its API where its users look for it.
  const apiListen = settings.apiListen ?? (settings.scribe ? ":8080" : undefined);
  const advertised = read("addr", () => parseAdvertise(settings.addr ?? "auto"));
  return {
    dataDir: read("dataDir", () => resolveDataDir(settings.dataDir, sources)),
    network: read("network", () => parseNetworkName(settings.network ?? defaultNetworkName)),
    networkGiven: settings.network !== undefined,
    advertise: advertised.advertise,
    listen: read("listen", () => parseListen(settings.listen ?? listenFor(advertised), "0.0.0.0")),
    peers: read("peers", () => (settings.peers ?? []).map(parseDialable)),
    join: read("join", () => joinTarget(settings.join)),
    token: settings.token ?? null,
    ca: settings.ca ?? false,
    caToken: settings.ca ? settings.caToken ?? settings.token ?? null : null,
    caDays: settings.caDays ?? null,
    scribe: settings.scribe ?? false,
    socks: settings.socks
      ? read("socksListen", () => parseListen(settings.socksListen ?? ":1080", "127.0.0.1"))
      : null,
    socksUsers: settings.socksUsers ?? {},
    socksDirect: settings.socksDirect ?? false,
    dns: settings.dns ? dnsSettings(settings, read) : null,
    tun: settings.tun
      ? {
        name: read("tunName", () => parseTunName(settings.tunName ?? defaultTunName)),
        fec: settings.fec ?? false,
        queues: read("tunQueues", () => parseTunQueues(settings.tunQueues ?? defaultTunQueues)),
        rekeySeconds: settings.tunRekeySeconds ?? null,
      }
      : null,
    exit: {
      cidrs: settings.exit ? read("exitCidrs", () => parseExitCidrs(settings.exitCidrs)) : [],
      use: settings.useExit === undefined
        ? null
        : read("useExit", () => parseUseExit(settings.useExit ?? "")),
      killswitch: settings.exitKillswitch ?? false,
    },
    services: read("services", () => parseServices(settings.services ?? [])),
    tcp: settings.tcp === undefined
      ? null
      : read("tcp", () => parseListen(settings.tcp ?? "", "127.0.0.1")),
    api: apiListen === undefined
      ? null
      : read("apiListen", () => parseListen(apiListen, "127.0.0.1")),
    apiRequired: settings.apiListen !== undefined,
    apiHosts: read("apiHosts", () => (settings.apiHosts ?? []).map(parseApiHost)),
    allowLocal: read("allowLocal", () => {
      const ports = settings.relayOnly ? "none" : defaultLocalPorts;
      return parseLocalPorts(settings.allowLocal ?? ports);
    }),
    meshCidr: read("meshCidr", () => {
      const cidr = settings.meshCidr ?? defaultMeshCidr;
      parseMeshCidr(cidr);
      return cidr;
    }),
    relayOnly: settings.relayOnly ?? false,
    quic: settings.quic ?? true,
    websocket: settings.websocket ?? true,
    logLevel: read("logLevel", () => parseLogLevel(settings.logLevel ?? "info")),
    logFormat: read("logFormat", () => parseLogFormat(settings.logFormat ?? "auto")),
    foreground: sources.foreground,
  };
}

/**
 * Where a node keeps its files: absolute, `~/` meaning the user's home, `~/.pulse` when nothing is said.
 * @throws {ConfigError}
 */
export function resolveDataDir(
  text: string | undefined,
  where: { readonly home: string | undefined; readonly cwd: string },
): string {
  const { home, cwd } = where;
  const path = text === undefined || text === ""
    ? join(home ?? cwd, ".pulse")
    : text.startsWith("~/") && home !== undefined
    ? join(home, text.slice(2))
    : isAbsolute(text)
    ? resolve(text)
    : resolve(cwd, text);
  const bytes = new TextEncoder().encode(join(path, dataFiles.tunnelSocket)).length;
  if (bytes > maxSocketPath) {
    throw new ConfigError(
      `${path} is too long for a unix socket inside it (${bytes} bytes, ${maxSocketPath} at most); use a shorter directory`,
    );
  }
  return path;
}

function dnsSettings(
  settings: Settings,
  read: <T>(name: SettingName, parse: () => T) => T,
): DnsSettings {
  return {
    listen: read("dnsListen", () => parseDnsListen(settings.dnsListen ?? defaultDnsListen)),
    upstream: read("dnsUpstream", () => parseDnsUpstreams(settings.dnsUpstream ?? [])),
    clients: read("dnsAllow", () => parseDnsClients(settings.dnsAllow ?? [])),
  };
}

/** What is advertised is what is listened on, as far as that can be bound. */
function listenFor(advertised: Advertised): string {
  if (advertised.port === null) return ":8443";
  const first = advertised.loopback ? advertised.advertise[0] : undefined;
  return first ?? `:${advertised.port}`;
}

function joinTarget(text: string | undefined): string | null {
  if (text === undefined) return null;
  const trimmed = text.trim();
  return trimmed.startsWith("pls_") ? trimmed : parseDialable(trimmed);
}

/** A name as a `Host` header has it. Addresses and localhost need not be named. */
function parseApiHost(text: string): string {
  const name = text.toLowerCase();
  if (name.length <= 253 && /^(?!\d+$)[a-z0-9_-]+(?:\.[a-z0-9_-]+)*$/.test(name)) return name;
  throw new ConfigError(
    `"${
      text.slice(0, 80)
    }" is not a host name; write it without scheme and port, such as pulse.example.com`,
  );
}

function parseLogFormat(text: string): DaemonConfig["logFormat"] {
  const word = text.toLowerCase();
  if (word === "auto" || word === "json" || word === "pretty") return word;
  throw new ConfigError(`"${text.slice(0, 40)}" is not a log format; use auto, json or pretty`);
}

/**
 * Without keys that are not given, which would hide the file's. Empty text is not given either: so a variable that is not set looks in
 * a unit or a script. Of the doors to open it is still refused, because the default opens some.
 */
function givenOnly(settings: Settings): Settings {
  const given = Object.entries(settings).filter(([name, value]) =>
    value !== undefined && (value !== "" || name === "allowLocal")
  );
  return Object.fromEntries(given);
}

import { z } from "zod";
import { errorText } from "../errors/mod.ts";
import { logLevels } from "../log/log_level.ts";
import type { LogLevel } from "../plugin/types.ts";
import type { DnsSettings } from "./dns_settings.ts";
import { ConfigError } from "./errors.ts";
import type { ExitSettings } from "./exit_settings.ts";
import type { LocalPorts } from "./local_ports.ts";
import type { ServiceSetting } from "./services.ts";
import type { TunSettings } from "./tun_settings.ts";

const address = z.string().min(1).max(300);
const localPorts = z.union([
  z.literal("all"),
  z.array(z.strictObject({ from: z.int(), to: z.int() }).readonly()).max(64).readonly(),
]);

/** Every setting with a value: what the launcher hands to the daemon as one line of JSON. Carries secrets, so never logged. */
export interface DaemonConfig {
  /** Absolute. */
  readonly dataDir: string;
  readonly network: string;
  /** True when the operator named the network: a certificate or an invite of another one is then an error. */
  readonly networkGiven: boolean;
  /** What others are told to dial: `host:port` each, never without a host. */
  readonly advertise: "auto" | "none" | readonly string[];
  /** `ip:port`; port 0 takes a free one. */
  readonly listen: string;
  /** `host:port` each. */
  readonly peers: readonly string[];
  /** An invite code (`pls_...`) or a relay's `host:port`; null to join nothing. */
  readonly join: string | null;
  /** Join token for `join`; on a CA its master token. */
  readonly token: string | null;
  readonly ca: boolean;
  /** Master token of the CA (`--ca-token`, else `--token`); null when only managed tokens count. */
  readonly caToken: string | null;
  /** How long certificates of this CA last, in days; null for the CA's own choice. */
  readonly caDays: number | null;
  /** Be the scribe: sign the network config, once the CA has granted that. */
  readonly scribe: boolean;
  /** Where SOCKS listens, `ip:port`; null when off. */
  readonly socks: string | null;
  /** Name and password of each user of SOCKS; empty: everybody who can connect. */
  readonly socksUsers: Readonly<Record<string, string>>;
  /** SOCKS dials what lies outside the mesh from this machine. */
  readonly socksDirect: boolean;
  /** Null when off. */
  readonly dns: DnsSettings | null;
  /** The packet tunnel; null when off. */
  readonly tun: TunSettings | null;
  /** Ways out of the mesh. */
  readonly exit: ExitSettings;
  /** What this node tells the mesh that it offers. */
  readonly services: readonly ServiceSetting[];
  /** Where the TCP tunnel listener listens, `ip:port`; null when off. */
  readonly tcp: string | null;
  /** Where the control API listens on the network, `ip:port`; null when it does not. */
  readonly api: string | null;
  /** Somebody asked for that address: without it the node does not start. */
  readonly apiRequired: boolean;
  /** Names that API may be called by, besides its addresses. */
  readonly apiHosts: readonly string[];
  /** Loopback ports of this machine that other members may reach; see `allowsLocalPort`. */
  readonly allowLocal: LocalPorts;
  /** IPv4 range a CA assigns mesh addresses from. */
  readonly meshCidr: string;
  readonly relayOnly: boolean;
  readonly quic: boolean;
  readonly websocket: boolean;
  readonly logLevel: LogLevel;
  /** Of what goes to stderr; the file is always JSON. */
  readonly logFormat: "auto" | "json" | "pretty";
  /** Logs go to stderr too, and the end of stdin means that whoever started the node is gone. */
  readonly foreground: boolean;
}

const daemonConfigSchema: z.ZodType<DaemonConfig> = z.strictObject({
  dataDir: z.string().startsWith("/").max(4_096),
  network: z.string().max(32),
  networkGiven: z.boolean(),
  advertise: z.union([
    z.literal("auto"),
    z.literal("none"),
    z.array(address).min(1).max(8).readonly(),
  ]),
  listen: address,
  peers: z.array(address).max(256).readonly(),
  join: z.string().max(4_096).nullable(),
  token: z.string().max(4_096).nullable(),
  ca: z.boolean(),
  caToken: z.string().max(4_096).nullable(),
  caDays: z.number().nullable(),
  scribe: z.boolean(),
  socks: address.nullable(),
  socksUsers: z.record(z.string().max(255), z.string().max(255)).readonly(),
  socksDirect: z.boolean(),
  dns: z.strictObject({
    listen: address,
    upstream: z.array(address).max(8).readonly(),
    clients: z.array(address).max(62).readonly(),
  }).nullable(),
  tun: z.strictObject({
    name: z.string().max(15),
    fec: z.boolean(),
    queues: z.int(),
    rekeySeconds: z.number().nullable(),
  }).nullable(),
  exit: z.strictObject({
    cidrs: z.array(z.string().max(64)).max(32).readonly(),
    use: z.string().max(63).nullable(),
    killswitch: z.boolean(),
  }),
  services: z.array(z.strictObject({ name: z.string().max(62), port: z.int() })).max(32).readonly(),
  tcp: address.nullable(),
  api: address.nullable(),
  apiRequired: z.boolean(),
  apiHosts: z.array(z.string().max(253)).max(16).readonly(),
  allowLocal: localPorts,
  meshCidr: z.string().max(32),
  relayOnly: z.boolean(),
  quic: z.boolean(),
  websocket: z.boolean(),
  logLevel: z.enum(logLevels),
  logFormat: z.enum(["auto", "json", "pretty"]),
  foreground: z.boolean(),
});

/** Longest configuration line a daemon reads. */
export const maxConfigLine = 1024 * 1024;

/**
 * The inverse of `JSON.stringify(config)`.
 * @throws {ConfigError} the launcher and the daemon do not fit together
 */
export function parseDaemonConfig(line: string): DaemonConfig {
  try {
    return daemonConfigSchema.parse(JSON.parse(line));
  } catch (cause) {
    throw new ConfigError(
      `The daemon's configuration is not usable; start it with "pulse start", not by hand: ${
        errorText(cause)
      }`,
      {},
      cause,
    );
  }
}

/** Settings as written: in the file (under these keys), or as flags (`--` before the key; some have none). */
export interface Settings {
  readonly dataDir?: string;
  readonly network?: string;
  readonly addr?: string;
  readonly listen?: string;
  readonly peers?: readonly string[];
  readonly join?: string;
  readonly token?: string;
  readonly caToken?: string;
  readonly ca?: boolean;
  readonly caDays?: number;
  readonly scribe?: boolean;
  readonly socks?: boolean;
  readonly socksListen?: string;
  readonly socksUsers?: Readonly<Record<string, string>>;
  readonly socksDirect?: boolean;
  readonly dns?: boolean;
  readonly dnsListen?: string;
  readonly dnsUpstream?: readonly string[];
  readonly dnsAllow?: readonly string[];
  readonly tun?: boolean;
  readonly tunName?: string;
  readonly tunQueues?: number;
  readonly tunRekeySeconds?: number;
  readonly fec?: boolean;
  readonly services?: readonly string[];
  readonly tcp?: string;
  readonly apiListen?: string;
  readonly apiHosts?: readonly string[];
  readonly allowLocal?: string;
  readonly meshCidr?: string;
  readonly relayOnly?: boolean;
  readonly quic?: boolean;
  readonly websocket?: boolean;
  readonly logLevel?: string;
  readonly logFormat?: string;
}

export type SettingName = keyof Settings;

/** The key of a setting in the file, which is also its flag without the dashes. */
export const settingKeys: Readonly<Record<SettingName, string>> = {
  dataDir: "data-dir",
  network: "network",
  addr: "addr",
  listen: "listen",
  peers: "peers",
  join: "join",
  token: "token",
  caToken: "ca-token",
  ca: "ca",
  caDays: "ca-days",
  scribe: "scribe",
  socks: "socks",
  socksListen: "socks-listen",
  socksUsers: "socks-users",
  socksDirect: "socks-direct",
  dns: "dns",
  dnsListen: "dns-listen",
  dnsUpstream: "dns-upstream",
  dnsAllow: "dns-allow",
  tun: "tun",
  tunName: "tun-name",
  tunQueues: "tun-queues",
  tunRekeySeconds: "tun-rekey-seconds",
  fec: "fec",
  services: "service",
  tcp: "tcp",
  apiListen: "api-listen",
  apiHosts: "api-host",
  allowLocal: "allow-local",
  meshCidr: "mesh-cidr",
  relayOnly: "relay-only",
  quic: "quic",
  websocket: "websocket",
  logLevel: "log-level",
  logFormat: "log-format",
};

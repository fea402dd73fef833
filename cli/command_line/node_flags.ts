import { object } from "@optique/core/constructs";
import { message } from "@optique/core/message";
import { map, multiple, optional } from "@optique/core/modifiers";
import { option } from "@optique/core/primitives";
import { choice, integer, type NonEmptyString, string } from "@optique/core/valueparser";
import type { Settings } from "../../core/config/settings.ts";
import { switchFlag, textOption } from "./common_flags.ts";

/** A `--no-x` flag: false when given, else nothing is said. */
const off = (name: `--no-${string}`, description: ReturnType<typeof message>) =>
  map(switchFlag(name, description), (given) => given === undefined ? undefined : false);

/** A flag that may be repeated: nothing is said when it is not given at all. */
const listOption = (
  name: `--${string}`,
  metavar: NonEmptyString,
  description: ReturnType<typeof message>,
) =>
  map(
    multiple(option(name, string({ metavar }), { description })),
    (values) => values.length === 0 ? undefined : values,
  );

/** Flags of a node, as `pulse` and `pulse start` take them. Values are checked when the configuration is resolved. */
export const nodeFlags = object("Node options", {
  config: textOption("--config", "FILE", message`TOML file with settings; flags win over it.`),
  addr: textOption(
    "--addr",
    "HOST:PORT",
    message`Address others dial: host:port, several with commas, :port to find the host out, or none.`,
  ),
  listen: textOption(
    "--listen",
    "HOST:PORT",
    message`Address to listen on, TCP and UDP (0.0.0.0:8443).`,
  ),
  network: textOption("--network", "NAME", message`Network to belong to (pulse).`),
  join: textOption(
    "--join",
    "RELAY|CODE",
    message`Join through this relay or invite code unless joined already.`,
  ),
  token: textOption(
    "--token",
    "TOKEN",
    message`Join token; on a CA its master token. Everybody on this machine can see it here: prefer --token-file.`,
  ),
  tokenFile: textOption("--token-file", "FILE", message`File with the token.`),
  ca: switchFlag("--ca", message`Be the network's certificate authority.`),
  caToken: textOption(
    "--ca-token",
    "TOKEN",
    message`Master join token of the CA, when --token is not it.`,
  ),
  meshCidr: textOption(
    "--mesh-cidr",
    "CIDR",
    message`IPv4 range the CA assigns addresses from (10.100.0.0/16).`,
  ),
  scribe: switchFlag(
    "--scribe",
    message`Be the scribe: names, rules, tokens and the rest of the network config.`,
  ),
  socks: switchFlag("--socks", message`Serve SOCKS5 to programs on this machine.`),
  socksListen: textOption(
    "--socks-listen",
    "HOST:PORT",
    message`Where SOCKS5 listens (127.0.0.1:1080).`,
  ),
  dns: switchFlag(
    "--dns",
    message`Answer DNS questions about the mesh to programs on this machine.`,
  ),
  dnsListen: textOption("--dns-listen", "IP:PORT", message`Where DNS listens (127.0.0.1:5353).`),
  dnsUpstream: listOption(
    "--dns-upstream",
    "IP[:PORT]",
    message`DNS server to ask about everything else; repeat for more.`,
  ),
  dnsAllow: listOption(
    "--dns-allow",
    "CIDR",
    message`Answer clients on other machines too: an address or an IPv4 range; repeat for more.`,
  ),
  tun: switchFlag("--tun", message`Carry IP packets to and from the mesh by an interface (root).`),
  tunName: textOption("--tun-name", "NAME", message`Name of that interface (pulse0).`),
  tunQueues: optional(
    option("--tun-queues", integer({ metavar: "N", min: 1 }), {
      description: message`Queues of that interface, served in turn: 1 to 16 (8).`,
    }),
  ),
  fec: switchFlag(
    "--fec",
    message`Send parity to peers that do too, so that lost packets are repaired.`,
  ),
  exit: switchFlag(
    "--exit",
    message`Lead others out of the mesh, to what the scribe approves of it.`,
  ),
  exitCidrs: map(
    listOption(
      "--exit-cidrs",
      "CIDR,...",
      message`Only to these ranges, with commas or one by one; else to everywhere.`,
    ),
    (texts) => texts?.flatMap((text) => text.split(",")),
  ),
  useExit: textOption(
    "--use-exit",
    "auto|NODE",
    message`Let the whole internet go through an exit: the best one, or this one.`,
  ),
  exitKillswitch: switchFlag(
    "--exit-killswitch",
    message`Let nothing go past that exit, also while there is none.`,
  ),
  services: listOption(
    "--service",
    "NAME=PORT",
    message`Tell the mesh of a service on this node, such as http=80; repeat for more.`,
  ),
  tcp: textOption(
    "--tcp",
    "HOST:PORT",
    message`Serve tunnels on TCP too, to whoever has the local token; loopback unless a host is named.`,
  ),
  apiListen: optional(
    option("--api-listen", "--scribe-listen", string({ metavar: "HOST:PORT" }), {
      description:
        message`Serve the control API to holders of an API key; loopback unless a host is named.`,
    }),
  ),
  apiHosts: map(
    multiple(
      option("--api-host", string({ metavar: "NAME" }), {
        description: message`A name the API may be called by; may be given several times.`,
      }),
    ),
    (names) => names.length === 0 ? undefined : names,
  ),
  allowLocal: textOption(
    "--allow-local",
    "PORTS",
    message`Ports of this machine's loopback that members may reach: all, none or a list (22,80,443).`,
  ),
  relayOnly: switchFlag(
    "--relay-only",
    message`Only forward for others, with the least permissions.`,
  ),
  quic: off("--no-quic", message`Do without QUIC.`),
  websocket: off("--no-websocket", message`Do without WebSocket.`),
  logLevel: textOption("--log-level", "LEVEL", message`debug, info, warn or error (info).`),
  logFormat: optional(
    option("--log-format", choice(["auto", "pretty", "json"]), {
      description: message`Form of the log on stderr (pretty on a terminal).`,
    }),
  ),
});

type Undefinable<T> = { readonly [Key in keyof T]?: T[Key] | undefined };

/** The settings that were given, without the keys that were not. */
export function givenSettings(values: Undefinable<Settings>): Settings {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined));
}

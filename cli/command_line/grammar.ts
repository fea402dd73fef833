import { merge, object, or } from "@optique/core/constructs";
import { type Message, message } from "@optique/core/message";
import { map, multiple, optional, withDefault } from "@optique/core/modifiers";
import { argument, command, constant, flag, option } from "@optique/core/primitives";
import type { InferValue, Parser } from "@optique/core/parser";
import { string } from "@optique/core/valueparser";
import type { Command, NodeOptions } from "./command.ts";
import { caParsers, inviteParsers } from "./ca_grammar.ts";
import { commonFlags, linesOption, textOption } from "./common_flags.ts";
import { controlParsers } from "./control_grammar.ts";
import { historyParsers } from "./history_grammar.ts";
import { givenSettings, nodeFlags } from "./node_flags.ts";
import { peerWord } from "./peer_word.ts";

/** One command of the grammar. */
export type CommandParser = Parser<"sync", Command, unknown>;

const common = commonFlags({
  dataDir: message`The node's directory (~/.pulse).`,
  json: message`Print JSON; errors too.`,
});

const word = (
  metavar: "NODE" | "HOST:PORT" | "RELAY|CODE" | "ID" | "PEER" | "SHELL",
  description: Message,
) => argument(string({ metavar }), { description });

type NodeValues = InferValue<typeof nodeFlags> & InferValue<typeof common>;

function nodeOptions(values: NodeValues & { readonly peers: readonly string[] }): NodeOptions {
  const { json, dataDir, config, tokenFile, peers, ...settings } = values;
  // No peers on the command line leave those of the file as they are.
  const given = givenSettings({ ...settings, peers: peers.length === 0 ? undefined : peers });
  return { json, dataDir, config, tokenFile, settings: given };
}

/** `pulse [flags] [peers...]`. */
export const runParser: CommandParser = map(
  merge(
    nodeFlags,
    common,
    object({
      peers: multiple(argument(peerWord, { description: message`Nodes to connect to.` })),
    }),
  ),
  (values) => ({ command: "run" as const, ...nodeOptions(values) }),
);

/** The flags alone, for completion and help: an argument there would swallow every command. */
export const runFlagsParser: Parser<"sync", unknown, unknown> = merge(nodeFlags, common);

const start = map(
  merge(
    nodeFlags,
    common,
    object({ peers: multiple(word("PEER", message`Nodes to connect to.`)) }),
  ),
  (values) => ({ command: "start" as const, ...nodeOptions(values) }),
);

const plain = <
  Name extends "stop" | "status" | "health" | "permissions" | "version" | "cert",
>(name: Name) => merge(object({ command: constant(name) }), common);

const id = merge(
  object({
    command: constant("id"),
    csr: withDefault(
      flag("--csr", {
        description: message`Print a certificate request for ${"pulse ca sign"} instead.`,
      }),
      false,
    ),
    network: textOption("--network", "NAME", message`Network the request is for (pulse).`),
  }),
  common,
);

const joinCommand = merge(
  object({
    command: constant("join"),
    target: word("RELAY|CODE", message`Invite code, or a relay's host:port together with a token.`),
    token: textOption("--token", "TOKEN", message`Join token; wins over the one in the code.`),
    tokenFile: textOption("--token-file", "FILE", message`File with the token.`),
    network: textOption(
      "--network",
      "NAME",
      message`Network to join (pulse, or what the code says).`,
    ),
    again: withDefault(
      flag("--again", {
        description: message`Get a new certificate although this node is a member.`,
      }),
      false,
    ),
  }),
  common,
);

const exitOrNode = optional(option("--node", string({ metavar: "NODE" }), {
  description:
    message`Node to go to: its id, a unique beginning of it, or its name; else the exit that leads to the target.`,
}));
const destOption = option("--dest", string({ metavar: "HOST:PORT" }), {
  description: message`Where to connect to, as that node sees it.`,
});

const connect = merge(
  object({ command: constant("connect") }),
  or(
    object({
      node: word("NODE", message`Node to go to: its id, a unique beginning of it, or its name.`),
      dest: word("HOST:PORT", message`Where to connect to, as that node sees it.`),
    }),
    object({ node: exitOrNode, dest: destOption }),
  ),
  common,
);

const forward = merge(
  object({
    command: constant("forward"),
    node: exitOrNode,
    dest: destOption,
    local: option("--local", string({ metavar: "HOST:PORT" }), {
      description: message`Where to listen; loopback unless a host is named.`,
    }),
  }),
  common,
);

const logs = merge(
  object({
    command: constant("logs"),
    follow: withDefault(
      flag("-f", "--follow", { description: message`Go on with what comes.` }),
      false,
    ),
    lines: linesOption(50, message`Lines from the end (50).`),
  }),
  common,
);

const apiKeyId = word("ID", message`The key's id: what follows ${"plk_"} in it.`);

const apiKey = or(
  command(
    "create",
    merge(
      object({
        command: constant("api-key create"),
        readOnly: withDefault(
          flag("--read-only", { description: message`A key that may look and change nothing.` }),
          false,
        ),
        name: textOption("--name", "NAME", message`What it is for, to tell it from others.`),
      }),
      common,
    ),
    { brief: message`Make an API key and print it, once.` },
  ),
  command("list", merge(object({ command: constant("api-key list") }), common), {
    brief: message`List the API keys.`,
  }),
  command(
    "rotate",
    merge(
      object({
        command: constant("api-key rotate"),
        id: apiKeyId,
        overlap: withDefault(
          option("--overlap", string({ metavar: "TIME" }), {
            description: message`How long the old key goes on working, or forever (24h).`,
          }),
          "24h",
        ),
      }),
      common,
    ),
    { brief: message`Replace an API key by a new one.` },
  ),
  command(
    "revoke",
    merge(object({ command: constant("api-key revoke"), id: apiKeyId }), common),
    { brief: message`Withdraw an API key.` },
  ),
);

const doctor = merge(
  object({
    command: constant("doctor"),
    fix: withDefault(flag("--fix", { description: message`Undo it.` }), false),
  }),
  common,
);

const setup = command(
  "dns",
  merge(
    object({
      command: constant("setup dns"),
      undo: withDefault(
        flag("--undo", { description: message`Put everything back as it was.` }),
        false,
      ),
      dryRun: withDefault(
        flag("--dry-run", { description: message`Say what would be done, and do nothing.` }),
        false,
      ),
      listen: textOption(
        "--listen",
        "IP:PORT",
        message`Where the node's DNS listens (127.0.0.1:5353).`,
      ),
      root: textOption("--root", "DIR", message`Set up the machine whose files are below DIR.`),
    }),
    common,
  ),
  { brief: message`Make this machine's resolver ask pulse about .pulse names.` },
);

/** Every command with its line in the help, in the order of the help. */
export const commandParsers: ReadonlyMap<string, CommandParser> = new Map<string, CommandParser>([
  ["start", command("start", start, { brief: message`Start a node in the background.` })],
  ["stop", command("stop", plain("stop"), { brief: message`Stop the node.` })],
  ["status", command("status", plain("status"), { brief: message`Show the node and its mesh.` })],
  [
    "health",
    command("health", plain("health"), {
      brief: message`Whether the node does its work; exit code 1 when something fails.`,
    }),
  ],
  ["id", command("id", id, { brief: message`Show the node's id.` })],
  ["cert", command("cert", plain("cert"), { brief: message`Show the node's certificate.` })],
  ["join", command("join", joinCommand, { brief: message`Join a network.` })],
  ...inviteParsers(common),
  [
    "connect",
    command("connect", connect, {
      brief: message`Connect stdin and stdout to a target at a node.`,
    }),
  ],
  [
    "forward",
    command("forward", forward, {
      brief: message`Forward a local port to a target at a node.`,
    }),
  ],
  ["logs", command("logs", logs, { brief: message`Show the node's log.` })],
  ...historyParsers(common),
  ...caParsers(common),
  [
    "doctor",
    command("doctor", doctor, {
      brief: message`Look for what a killed node has left changed on this machine.`,
    }),
  ],
  ["setup", command("setup", setup, { brief: message`Set up this machine to use pulse.` })],
  [
    "api-key",
    command("api-key", apiKey, { brief: message`Make, list and withdraw keys to the API.` }),
  ],
  [
    "permissions",
    command("permissions", plain("permissions"), {
      brief: message`Show what the running node may do, tried from inside.`,
    }),
  ],
  ...controlParsers,
  ["version", command("version", plain("version"), { brief: message`Show the version.` })],
]);

import { merge, object, or } from "@optique/core/constructs";
import { message } from "@optique/core/message";
import { map, multiple, optional, withDefault } from "@optique/core/modifiers";
import { argument, command, constant, option } from "@optique/core/primitives";
import { choice, integer, string } from "@optique/core/valueparser";
import { acl } from "./acl_grammar.ts";
import { switchedOn, textOption } from "./common_flags.ts";
import { common, force, named, node, plain, settings, word } from "./control_words.ts";
import type { CommandParser } from "./grammar.ts";

const recordType = choice(["A", "AAAA", "CNAME", "TXT", "SRV"]);

const name = merge(
  object({
    command: constant("name"),
    node,
    name: word("NAME", message`A DNS label, or none to take the name away.`),
    force,
  }),
  common,
);
const tag = <Name extends "tag" | "untag">(which: Name) =>
  merge(
    object({
      command: constant(which),
      node,
      tag: word("TAG", message`Of a-z, 0-9 and . _ / -, such as prod or site/berlin.`),
      force,
    }),
    common,
  );
const meshIp = merge(
  object({
    command: constant("mesh-ip"),
    node,
    address: word("IP|none", message`Address, or none for the one in its certificate.`),
  }),
  common,
);
const pin = merge(
  object({
    command: constant("pin"),
    node,
    via: word("VIA", message`Node that every path to it goes through.`),
  }),
  common,
);
const unpin = merge(object({ command: constant("unpin"), node }), common);
const reason = textOption("--reason", "TEXT", message`Why, for everybody to see.`);
const revoke = merge(
  named("revoke"),
  or(
    object({ node }),
    object({
      node: option("--node", string({ metavar: "NODE" }), {
        description: message`The node, for those who prefer to name it so.`,
      }),
    }),
  ),
  object({ reason, force: switchedOn("--force", message`Even the network's CA.`) }),
  common,
);
const unrevoke = merge(object({ command: constant("unrevoke"), node }), common);

const dns = or(
  command("list", plain("dns list"), { brief: message`List the records.` }),
  command(
    "add",
    merge(
      object({
        command: constant("dns add"),
        name: word("NAME", message`Name below .pulse.`),
        value: word("VALUE", message`Address, name, text, or "priority weight port target".`),
        type: withDefault(
          option("--type", recordType, { description: message`A, AAAA, CNAME, TXT or SRV (A).` }),
          "A",
        ),
        ttl: optional(
          option("--ttl", integer({ min: 1, max: 604_800, metavar: "SECONDS" }), {
            description: message`How long others may keep it (300).`,
          }),
        ),
      }),
      common,
    ),
    { brief: message`Add a record, or change the one with its name and type.` },
  ),
  command(
    "remove",
    merge(
      object({
        command: constant("dns remove"),
        name: word("NAME", message`Name below .pulse.`),
        type: optional(
          option("--type", recordType, { description: message`Only the record of this type.` }),
        ),
      }),
      common,
    ),
    { brief: message`Remove the records of a name.` },
  ),
);

const exitNode = word("VIA", message`Exit node that leads there.`);
const routeAdd = <Name extends "route add" | "route approve">(which: Name) =>
  merge(
    object({
      command: constant(which),
      cidr: word("CIDR", message`Range outside the mesh.`),
    }),
    or(
      object({ via: exitNode }),
      // As a sentence: route add 10.7.0.0/16 via NODE.
      map(object({ _: argument(choice(["via"])), via: exitNode }), ({ via }) => ({ via })),
    ),
    common,
  );
const route = or(
  command("list", plain("route list"), {
    brief: message`Every route announced or approved, and what becomes of it here.`,
  }),
  command("add", routeAdd("route add"), { brief: message`The same as approve.` }),
  command("approve", routeAdd("route approve"), {
    brief: message`Let an exit node lead traffic for a range.`,
  }),
  command(
    "remove",
    merge(
      object({
        command: constant("route remove"),
        cidr: word("CIDR", message`Range outside the mesh.`),
        via: textOption("--via", "NODE", message`Only through this node.`),
      }),
      common,
    ),
    { brief: message`Take an approval back.` },
  ),
);

const config = or(
  command("show", plain("config show"), { brief: message`The network config in force.` }),
  command(
    "history",
    merge(
      object({
        command: constant("config history"),
        lines: withDefault(
          option("-n", "--lines", integer({ min: 1, max: 1_000 }), {
            description: message`Versions from the end (20).`,
          }),
          20,
        ),
      }),
      common,
    ),
    { brief: message`Its versions: who changed what.` },
  ),
  command(
    "diff",
    merge(
      object({
        command: constant("config diff"),
        from: word("VERSION", message`Such as 1.17, as history shows it.`),
        to: optional(word("VERSION", message`The one in force, unless named.`)),
      }),
      common,
    ),
    { brief: message`What changed between two versions.` },
  ),
  command(
    "rollback",
    merge(
      object({
        command: constant("config rollback"),
        version: word("VERSION", message`Version to go back to.`),
        force,
      }),
      common,
    ),
    { brief: message`Publish an old version again; who is revoked stays so.` },
  ),
  command(
    "mesh-cidr",
    merge(
      object({
        command: constant("config mesh-cidr"),
        cidr: word("CIDR", message`IPv4 range, such as 10.7.0.0/16.`),
      }),
      common,
    ),
    { brief: message`Move all mesh addresses to another range.` },
  ),
);

const template = or(
  command("list", plain("template list"), { brief: message`List the templates.` }),
  command(
    "set",
    merge(
      object({
        command: constant("template set"),
        pattern: word("TAG", message`Tag; those below it are meant too.`),
        settings,
      }),
      common,
    ),
    { brief: message`Settings for all nodes with a tag.` },
  ),
  command(
    "remove",
    merge(
      object({ command: constant("template remove"), pattern: word("TAG", message`Its tag.`) }),
      common,
    ),
    { brief: message`Remove a template.` },
  ),
);

const restart = merge(object({ command: constant("restart"), node }), common);
const remoteConfig = merge(
  object({
    command: constant("remote-config"),
    node: option("--node", string({ metavar: "NODE" }), {
      description: message`Node to change.`,
    }),
    settings,
  }),
  common,
);
const bulk = merge(
  object({
    command: constant("bulk"),
    pattern: word("TAG", message`Tag, or * for all nodes.`),
    action: argument(choice(["restart", "config", "push_config"]), {
      description: message`restart, config KEY=VALUE..., or push_config for the templates.`,
    }),
    settings: multiple(word("KEY=VALUE", message`Settings for config.`), { max: 32 }),
  }),
  common,
);

/** The commands for the scribe, in the order of the help. */
export const controlParsers: ReadonlyMap<string, CommandParser> = new Map<string, CommandParser>([
  ["name", command("name", name, { brief: message`Give a node a name.` })],
  ["tag", command("tag", tag("tag"), { brief: message`Give a node a tag.` })],
  ["untag", command("untag", tag("untag"), { brief: message`Take a tag from a node.` })],
  ["groups", command("groups", plain("groups"), { brief: message`Count the nodes of each tag.` })],
  ["mesh-ip", command("mesh-ip", meshIp, { brief: message`Give a node a mesh address.` })],
  ["pin", command("pin", pin, { brief: message`Reach a node through another one only.` })],
  ["unpin", command("unpin", unpin, { brief: message`Reach it as it comes again.` })],
  ["acl", command("acl", acl, { brief: message`Who may reach whom.` })],
  ["dns", command("dns", dns, { brief: message`DNS records below .pulse.` })],
  ["route", command("route", route, { brief: message`Routes out of the mesh.` })],
  ["revoke", command("revoke", revoke, { brief: message`Put a node out of the network.` })],
  ["unrevoke", command("unrevoke", unrevoke, { brief: message`Let it in again.` })],
  ["config", command("config", config, { brief: message`The network config and its history.` })],
  ["template", command("template", template, { brief: message`Settings by tag.` })],
  ["restart", command("restart", restart, { brief: message`Restart a node, near or far.` })],
  [
    "remote-config",
    command("remote-config", remoteConfig, { brief: message`Change settings of a running node.` }),
  ],
  ["bulk", command("bulk", bulk, { brief: message`Tell all nodes of a tag what to do.` })],
]);

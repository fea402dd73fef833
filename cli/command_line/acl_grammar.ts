import { merge, object, or } from "@optique/core/constructs";
import { message } from "@optique/core/message";
import { multiple, optional, withDefault } from "@optique/core/modifiers";
import { command, constant, option } from "@optique/core/primitives";
import { choice, integer, string } from "@optique/core/valueparser";
import { switchedOn, textOption } from "./common_flags.ts";
import { common, force, index, named, plain, protocol, word } from "./control_words.ts";

const ruleFlags = object({
  from: withDefault(
    option("--from", string({ metavar: "PATTERN" }), {
      description: message`Who: *, tag:TAG, a name, or an id with * and ? (*).`,
    }),
    "*",
  ),
  to: withDefault(
    option("--to", string({ metavar: "PATTERN" }), {
      description: message`To whom: the same, or a CIDR behind an exit node (*).`,
    }),
    "*",
  ),
  ports: textOption("--ports", "PORTS", message`Such as 22,443,8000-9000 (all).`),
  protocols: multiple(
    option("--proto", choice(["tcp", "udp", "icmp"]), {
      description: message`Protocol; repeat for more (all).`,
    }),
    { max: 3 },
  ),
  deny: switchedOn("--deny", message`Deny instead of allow.`),
  comment: textOption("--comment", "TEXT", message`What the rule is for.`),
  at: optional(
    option("--at", integer({ min: 0, max: 1_000_000, metavar: "NUMBER" }), {
      description: message`Number it is to have (behind the last).`,
    }),
  ),
});
const aclAdd = <Name extends "acl add" | "acl diff add">(which: Name) =>
  merge(named(which), ruleFlags, object({ force }), common);
const aclRemove = <Name extends "acl remove" | "acl diff remove">(which: Name) =>
  merge(
    object({
      command: constant(which),
      index: index("NUMBER", message`The rule's number, as list shows it.`),
      force,
    }),
    common,
  );
const aclMove = <Name extends "acl move" | "acl diff move">(which: Name) =>
  merge(
    object({
      command: constant(which),
      from: index("FROM", message`The rule's number.`),
      to: index("TO", message`The number it is to have.`),
      force,
    }),
    common,
  );
const flow = object({
  from: word("FROM", message`Who: id, beginning of it, or name.`),
  target: word("NODE:PORT", message`To what; for ICMP a node alone.`),
  protocol,
});
const aclTest = or(
  command("run", plain("acl test run"), { brief: message`Check all of them.` }),
  command(
    "add",
    merge(
      named("acl test add"),
      object({
        from: word("FROM", message`A name, an id or tag:TAG.`),
        target: word("NODE:PORT", message`A name, an id or tag:TAG, and a port.`),
        protocol,
        expect: withDefault(
          option("--expect", choice(["allow", "deny"]), {
            description: message`What the policy is to say (allow).`,
          }),
          "allow",
        ),
        force: switchedOn("--force", message`Even if it does not hold now.`),
      }),
      common,
    ),
    { brief: message`Expect something of the policy from now on.` },
  ),
  command(
    "remove",
    merge(
      object({
        command: constant("acl test remove"),
        index: index("NUMBER", message`Its number, as run shows it.`),
      }),
      common,
    ),
    { brief: message`Expect it no longer.` },
  ),
);
const aclDiff = or(
  command("add", aclAdd("acl diff add"), { brief: message`What a new rule would change.` }),
  command("remove", aclRemove("acl diff remove"), {
    brief: message`What would change without a rule.`,
  }),
  command("move", aclMove("acl diff move"), {
    brief: message`What another order would change.`,
  }),
);
/** `pulse acl ...` */
export const acl = or(
  command("list", plain("acl list"), { brief: message`List the rules; the first match counts.` }),
  command("add", aclAdd("acl add"), { brief: message`Add a rule.` }),
  command("remove", aclRemove("acl remove"), { brief: message`Remove a rule.` }),
  command("move", aclMove("acl move"), { brief: message`Give a rule another number.` }),
  command("test", aclTest, { brief: message`Expectations that changes must keep.` }),
  command(
    "explain",
    merge(
      named("acl explain"),
      flow,
      object({
        address: textOption("--address", "IP", message`Address behind the node, if it is an exit.`),
      }),
      common,
    ),
    { brief: message`Which rule decides a flow, and why not the others.` },
  ),
  command("diff", aclDiff, {
    brief: message`What a change would allow or deny, before it is made.`,
  }),
);

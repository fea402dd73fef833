import { merge, object, or } from "@optique/core/constructs";
import { type Message, message } from "@optique/core/message";
import { map, multiple, withDefault } from "@optique/core/modifiers";
import { argument, command, constant, flag, option } from "@optique/core/primitives";
import { integer, string } from "@optique/core/valueparser";
import { type commonFlags, linesOption, rolesOption, textOption } from "./common_flags.ts";
import type { CommandParser } from "./grammar.ts";

type Common = ReturnType<typeof commonFlags>;

const word = (metavar: "NODE" | "ID", description: Message) =>
  argument(string({ metavar }), { description });

const ttl = textOption("--ttl", "TIME", message`Valid for so long, such as 30m, 24h or 7d.`);
const maxUses = map(
  multiple(
    option("--max-uses", integer({ min: 0, max: 1_000_000 }), {
      description: message`Nodes that can join with it; 0 for any number.`,
    }),
    { max: 1 },
  ),
  ([uses]) => uses,
);
const roles = rolesOption(message`Role to write into the certificate; repeat for more.`);

/** What the scribe gives the nodes that join with a token. */
const promises = {
  tags: multiple(
    option("--tag", string({ metavar: "TAG" }), {
      description: message`Tag of the nodes that join with it; repeat for more.`,
    }),
  ),
  name: textOption("--name", "NAME", message`Name of the one node that joins with it.`),
  ephemeral: textOption(
    "--ephemeral",
    "TIME",
    message`Remove its nodes when they were gone for so long, such as 1h.`,
  ),
};

/** How nodes are asked in: by the scribe or the CA. */
export function inviteParsers(common: Common): [string, CommandParser][] {
  const invite = merge(
    object({
      command: constant("invite"),
      ttl,
      maxUses,
      ...promises,
      relays: multiple(
        option("--relay", string({ metavar: "HOST:PORT" }), {
          description:
            message`Relay to join through, instead of this node's own addresses; repeat for more.`,
        }),
      ),
      roles,
    }),
    common,
  );
  return [[
    "invite",
    command("invite", invite, { brief: message`Make an invite code, on the scribe or the CA.` }),
  ]];
}

/** Commands about join tokens and the certificate authority. */
export function caParsers(common: Common): [string, CommandParser][] {
  const token = or(
    command(
      "create",
      merge(
        object({
          command: constant("token create"),
          ttl,
          maxUses,
          roles,
          ...promises,
        }),
        common,
      ),
      { brief: message`Make a join token and print it, once.` },
    ),
    command("list", merge(object({ command: constant("token list") }), common), {
      brief: message`List the join tokens.`,
    }),
    command(
      "revoke",
      merge(
        object({
          command: constant("token revoke"),
          id: word("ID", message`The token's id, or a unique beginning of it.`),
        }),
        common,
      ),
      { brief: message`Withdraw a join token.` },
    ),
  );

  const ca = or(
    command(
      "log",
      merge(
        object({
          command: constant("ca log"),
          lines: linesOption(100, message`Entries from the end (100).`),
          verify: withDefault(
            flag("--verify", { description: message`Check the whole chain of hashes.` }),
            false,
          ),
        }),
        common,
      ),
      { brief: message`Show the CA's audit log.` },
    ),
    command("nodes", merge(object({ command: constant("ca nodes") }), common), {
      brief: message`List the nodes the CA has certified.`,
    }),
    command(
      "roles",
      merge(
        object({
          command: constant("ca roles"),
          node: word("NODE", message`Node whose roles to set.`),
          roles,
        }),
        common,
      ),
      { brief: message`Set the roles in a node's next certificate.` },
    ),
    command(
      "revoke",
      merge(
        object({
          command: constant("ca revoke"),
          node: word("NODE", message`Node that gets no certificate any more.`),
          reason: textOption("--reason", "TEXT", message`Why, for the audit log.`),
        }),
        common,
      ),
      { brief: message`Refuse a node new certificates for good.` },
    ),
    command(
      "grant",
      or(
        command(
          "scribe",
          merge(
            object({
              command: constant("ca grant"),
              node: word("NODE", message`Node that may change the network config from now on.`),
            }),
            common,
          ),
          { brief: message`Make a node the scribe; the one before no longer is.` },
        ),
        command(
          "none",
          merge(object({ command: constant("ca grant"), node: constant(undefined) }), common),
          { brief: message`Take the scribe's role away.` },
        ),
      ),
      { brief: message`Say who may change the network config.` },
    ),
    command(
      "roll",
      merge(
        object({
          command: constant("ca roll"),
          step: withDefault(
            or(
              map(
                flag("--status", {
                  description: message`Show where it stands and which nodes it waits for.`,
                }),
                () => "status" as const,
              ),
              map(
                flag("--finish", { description: message`Retire the old CA.` }),
                () => "finish" as const,
              ),
            ),
            "begin" as const,
          ),
          force: withDefault(
            flag("--force", {
              description:
                message`With --finish: although nodes in reach have no new certificate; they have to join again.`,
            }),
            false,
          ),
        }),
        common,
      ),
      { brief: message`Replace the CA: both count until it is finished.` },
    ),
    command(
      "sign",
      merge(
        object({
          command: constant("ca sign"),
          csr: option("--csr", string({ metavar: "FILE" }), {
            description: message`Certificate request from ${"pulse id --csr"}; - for stdin.`,
          }),
          caDir: textOption("--ca-dir", "DIR", message`The CA's directory (ca in the node's).`),
          out: withDefault(
            option("--out", string({ metavar: "DIR" }), {
              description: message`Where to write identity.crt and ca.crt (here).`,
            }),
            ".",
          ),
          roles,
        }),
        common,
      ),
      { brief: message`Sign a certificate request without a mesh.` },
    ),
  );
  return [
    ["token", command("token", token, { brief: message`Make, list and withdraw join tokens.` })],
    [
      "ca",
      command("ca", ca, { brief: message`The certificate authority's log, nodes and signing.` }),
    ],
  ];
}

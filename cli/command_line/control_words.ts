import { merge, object } from "@optique/core/constructs";
import { type Message, message } from "@optique/core/message";
import { multiple, withDefault } from "@optique/core/modifiers";
import { argument, constant, option } from "@optique/core/primitives";
import { choice, integer, string } from "@optique/core/valueparser";
import { commonFlags, switchedOn } from "./common_flags.ts";

/** Every command has these. */
export const common = commonFlags({
  dataDir: message`The node's directory (~/.pulse).`,
  json: message`Print JSON; errors too.`,
});

type Metavar =
  | "NODE"
  | "NAME"
  | "TAG"
  | "IP|none"
  | "VIA"
  | "FROM"
  | "NODE:PORT"
  | "CIDR"
  | "VALUE"
  | "VERSION"
  | "KEY=VALUE";
/** A word that has to be there. */
export const word = (metavar: Metavar, description: Message) =>
  argument(string({ metavar }), { description });
/** A number that has to be there; nothing stands for one that is not. */
export const index = (metavar: "NUMBER" | "FROM" | "TO", description: Message) =>
  argument(integer({ metavar, min: 0, max: 1_000_000 }), { description });

export const node = word("NODE", message`Its id, a unique beginning of it, or its name.`);
export const force = switchedOn(
  "--force",
  message`Even if that breaks what is expected of the policy.`,
);
export const settings = multiple(word("KEY=VALUE", message`Setting, such as log-level=debug.`), {
  min: 1,
  max: 32,
  errors: { tooFew: message`At least one KEY=VALUE is needed.` },
});
export const protocol = withDefault(
  option("--proto", choice(["tcp", "udp", "icmp"]), { description: message`Protocol (tcp).` }),
  "tcp",
);
/** The name of a command alone. */
export const named = <Name extends string>(name: Name) => object({ command: constant(name) });
/** A command without words of its own. */
export const plain = <Name extends string>(name: Name) => merge(named(name), common);

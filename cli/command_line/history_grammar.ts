import { merge, object, or } from "@optique/core/constructs";
import { message } from "@optique/core/message";
import { optional, withDefault } from "@optique/core/modifiers";
import { argument, command, constant, flag, option } from "@optique/core/primitives";
import { choice, integer, string } from "@optique/core/valueparser";
import { type commonFlags, textOption } from "./common_flags.ts";
import type { CommandParser } from "./grammar.ts";

const lines = (count: number) =>
  withDefault(
    option("-n", "--lines", integer({ min: 1, max: 100_000 }), {
      description: message`How many, from the end.`,
    }),
    count,
  );

/** Commands about what a node remembers. */
export function historyParsers(common: ReturnType<typeof commonFlags>): [string, CommandParser][] {
  const events = merge(
    object({
      command: constant("events"),
      type: textOption("--type", "TYPE", message`Only events of this type, such as link_down.`),
      node: textOption("--node", "NODE", message`Only events about this node.`),
      since: textOption(
        "--since",
        "TIME",
        message`Not older than 90s, 1h30m, 7d, or an RFC 3339 time.`,
      ),
      lines: lines(50),
      follow: withDefault(
        flag("-f", "--follow", { description: message`Go on with what happens.` }),
        false,
      ),
    }),
    common,
  );
  const stats = merge(
    object({
      command: constant("stats"),
      node: optional(
        argument(string({ metavar: "NODE" }), {
          description: message`Ask this node; only the scribe and the CA get an answer.`,
        }),
      ),
      peer: textOption("--peer", "NODE", message`Only what was measured of this peer.`),
      since: withDefault(
        option("--since", string({ metavar: "TIME" }), {
          description: message`Not older than 90s, 1h30m, 7d, or an RFC 3339 time (1h).`,
        }),
        "1h",
      ),
      resolution: optional(
        option("--resolution", choice(["10s", "5m", "1h"]), {
          description: message`Instead of the finest that reaches back far enough.`,
        }),
      ),
    }),
    common,
  );
  const audit = or(
    command(
      "verify",
      merge(
        object({
          command: constant("audit"),
          lines: constant(0),
          verify: constant(true),
        }),
        common,
      ),
      { brief: message`Check the whole chain of hashes.` },
    ),
    merge(
      object({
        command: constant("audit"),
        lines: lines(50),
        verify: withDefault(
          flag("--verify", { description: message`Check the whole chain of hashes too.` }),
          false,
        ),
      }),
      common,
    ),
  );
  return [
    ["events", command("events", events, { brief: message`Show what happened at the node.` })],
    [
      "stats",
      command("stats", stats, { brief: message`Show what the node measured of its peers.` }),
    ],
    ["audit", command("audit", audit, { brief: message`Show who changed what.` })],
  ];
}

import { object } from "@optique/core/constructs";
import type { Message } from "@optique/core/message";
import { multiple, optional, withDefault } from "@optique/core/modifiers";
import { flag, option } from "@optique/core/primitives";
import { choice, integer, type NonEmptyString, string } from "@optique/core/valueparser";

/** A text option that may be left out. */
export function textOption(name: `--${string}`, metavar: NonEmptyString, description: Message) {
  return optional(option(name, string({ metavar }), { description }));
}

/** Absent, or true. */
export function switchFlag(name: `--${string}`, description: Message) {
  return optional(flag(name, { description }));
}

/** False unless given. */
export function switchedOn(name: `--${string}`, description: Message) {
  return withDefault(flag(name, { description }), false);
}

export const rolesOption = (description: Message) =>
  multiple(option("--role", choice(["scribe", "exit", "relay-only"]), { description }));

export function commonFlags(text: { readonly dataDir: Message; readonly json: Message }) {
  return object("Common options", {
    dataDir: textOption("--data-dir", "DIR", text.dataDir),
    json: withDefault(flag("--json", { description: text.json }), false),
  });
}

export const linesOption = (count: number, description: Message) =>
  withDefault(
    option("-n", "--lines", integer({ min: 1, max: 100_000 }), { description }),
    count,
  );

import { z } from "zod";
import { CommandError } from "./errors.ts";

/** Protocol of the streams a command travels on. */
export const commandProtocol = "core.command";
/** Longest command, in bytes. */
export const maxCommandBytes = 32 * 1024;
/** Longest answer, in bytes. */
export const maxAnswerBytes = 4 * 1024;

/** What a node can be told to do. */
export type RemoteCommand =
  | { readonly kind: "restart" }
  | { readonly kind: "configure"; readonly settings: { readonly [key: string]: string } };

/** A command as it is sent: to one node of one network, once, and for a short time. */
export interface CommandMessage {
  readonly network: string;
  /** Id of the node that is to act. */
  readonly target: string;
  /** 16 random bytes, hex. */
  readonly nonce: string;
  /** Wall clock of the sender, milliseconds. */
  readonly issuedAt: number;
  readonly command: RemoteCommand;
}

/** What the target says. */
export type CommandAnswer =
  | { readonly ok: true; readonly detail: string }
  | { readonly ok: false; readonly code: string; readonly error: string };

const message = z.strictObject({
  network: z.string().max(64),
  target: z.string().max(64),
  nonce: z.string().regex(/^[0-9a-f]{32}$/),
  issuedAt: z.number(),
  command: z.discriminatedUnion("kind", [
    z.strictObject({ kind: z.literal("restart") }),
    z.strictObject({
      kind: z.literal("configure"),
      settings: z.record(z.string().max(64), z.string().max(4_096))
        .refine((settings) => Object.keys(settings).length <= 32, "has more than 32 settings"),
    }),
  ]),
});
const answer = z.union([
  z.object({ ok: z.literal(true), detail: z.string() }),
  z.object({ ok: z.literal(false), code: z.string(), error: z.string() }),
]);

/** Reads what a sender of commands wrote. @throws {CommandError} REMOTE_COMMAND_INVALID */
export function parseCommand(line: string): CommandMessage {
  return parse(message, line, "command");
}

/** Reads what a target said to it. @throws {CommandError} REMOTE_COMMAND_INVALID */
export function parseCommandAnswer(line: string): CommandAnswer {
  return parse(answer, line, "answer to a command");
}

function parse<T>(schema: z.ZodType<T>, line: string, what: string): T {
  try {
    return schema.parse(JSON.parse(line));
  } catch (cause) {
    throw new CommandError("REMOTE_COMMAND_INVALID", `this is no ${what}`, {}, cause);
  }
}

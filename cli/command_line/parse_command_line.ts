import { or } from "@optique/core/constructs";
import { message } from "@optique/core/message";
import type { Parser } from "@optique/core/parser";
import { type RunOptions, runSync } from "@optique/run";
import { exitCode } from "../exit_code.ts";
import type { Command } from "./command.ts";
import { commandNames } from "./command_names.ts";
import { type CommandParser, commandParsers, runFlagsParser, runParser } from "./grammar.ts";
import { hoistCommand } from "./hoist_command.ts";
import { looksLikePeer, unknownWord } from "./peer_word.ts";

/** A command to run, or what to print and how to end instead. */
export type ParsedCommandLine =
  | { readonly kind: "command"; readonly command: Command }
  | {
    readonly kind: "exit";
    readonly code: number;
    readonly stdout: string;
    readonly stderr: string;
  };

export interface TerminalShape {
  readonly columns: number | undefined;
  readonly colour: boolean;
}

/** Help is not made narrower than this, whatever the terminal says of itself. */
const narrowest = 40;

/** Thrown by the runner's exit hook, so that the parser cannot end the process. */
class ParserExit extends Error {
  constructor(readonly code: number) {
    super("the parser is done");
  }
}

/** The only place that knows which library parses: everything else sees `Command`. */
export function parseCommandLine(
  words: readonly string[],
  terminal: TerminalShape,
): ParsedCommandLine {
  const args = hoistCommand(words);
  const [first = ""] = args;
  if (first === "completion") return completion(words, terminal);
  if (first === "help" && args.length > 1) {
    return parseCommandLine([...args.slice(1), "--help"], terminal);
  }
  if (first === "help" || first === "--help" || first === "-h") return rootHelp(terminal);
  const parser = commandParsers.get(first);
  if (parser !== undefined) return run(parser, args, terminal);
  if (first !== "" && !first.startsWith("-") && !looksLikePeer(first)) {
    return usageError(unknownWord(first), []);
  }
  return run(runParser, args, terminal);
}

/**
 * A shell asks for answers in the same words that a user asks for the script in, and completes `--json` too; so only in front of the
 * command does `--json` mean the form of the script.
 */
function completion(words: readonly string[], terminal: TerminalShape): ParsedCommandLine {
  const at = words.indexOf("completion");
  const parsed = run(everything(), words.slice(at), terminal, { completion: "command" });
  const json = words.slice(0, at).includes("--json");
  if (!json || parsed.kind !== "exit" || parsed.code !== 0) return parsed;
  const [shell = ""] = words.slice(at + 1);
  return { ...parsed, stdout: `${JSON.stringify({ shell, script: parsed.stdout })}\n` };
}

function rootHelp(terminal: TerminalShape): ParsedCommandLine {
  return run(everything(), ["--help"], terminal, {
    brief: message`pulse: an encrypted mesh network`,
    usageLine: [{ type: "ellipsis" }],
    description: [
      {
        type: "text",
        text:
          "pulse COMMAND [options] runs a command; pulse [options] [PEER...] runs a node in the foreground.",
      },
    ],
    commandList: "top-level",
    completion: "command",
    footer: [{
      type: "text",
      text:
        "Exit codes: 0 done, 1 failed, 2 usage, 3 no daemon answers. More: pulse COMMAND --help",
    }],
  });
}

/** All commands and the flags of the foreground in one parser: for help and completion only. */
function everything(): Parser<"sync", unknown, unknown> {
  const parsers: Parser<"sync", unknown, unknown>[] = [...commandParsers.values(), runFlagsParser];
  return parsers.reduce((left, right) => or(left, right));
}

function run(
  parser: Parser<"sync", unknown, unknown> | CommandParser,
  args: readonly string[],
  terminal: TerminalShape,
  more: RunOptions = {},
): ParsedCommandLine {
  const out: string[] = [];
  const errors: string[] = [];
  try {
    const value = runSync(parser, {
      programName: "pulse",
      args,
      help: { option: { names: ["-h", "--help"] } },
      aboveError: "none",
      errorExitCode: exitCode.usage,
      colors: terminal.colour,
      maxWidth: Math.max(narrowest, terminal.columns ?? 100),
      termWidth: "auto",
      stdout: (text) => out.push(text),
      stderr: (text) => errors.push(text),
      onExit: (code) => {
        throw new ParserExit(code);
      },
      ...more,
    });
    return { kind: "command", command: value as Command };
  } catch (error) {
    if (!(error instanceof ParserExit)) throw error;
    if (error.code === 0) {
      return { kind: "exit", code: 0, stdout: `${out.join("\n")}\n`, stderr: "" };
    }
    return usageError(errors.join("\n").replace(/^Error: (`PEER`: )?/, "").trim(), args);
  }
}

function usageError(text: string, args: readonly string[]): ParsedCommandLine {
  const words = args.filter((arg) => !arg.startsWith("-"));
  const known = words[0] !== undefined && commandNames.includes(words[0]) ? `${words[0]} ` : "";
  return {
    kind: "exit",
    code: exitCode.usage,
    stdout: "",
    stderr: `pulse: ${text}\nSee: pulse ${known}--help\n`,
  };
}

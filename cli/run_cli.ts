import { errorCode, errorText, PulseError } from "../core/errors/mod.ts";
import { escapeText } from "../core/log/escape_text.ts";
import { version } from "./commands/version.ts";
import { exitCode, exitCodeFor } from "./exit_code.ts";
import type { CliIo } from "./io.ts";

/** One call of `pulse`: parses, runs, reports. @returns the exit code */
export async function runCli(args: readonly string[], io: CliIo): Promise<number> {
  if (isVersion(args)) {
    version(io, args.includes("--json"));
    return exitCode.ok;
  }
  const json = args.includes("--json");
  try {
    const { parseCommandLine } = await import("./command_line/parse_command_line.ts");
    const parsed = parseCommandLine(args, { columns: io.columns, colour: usesColour(io) });
    if (parsed.kind === "command") {
      const { runCommand } = await import("./run_command.ts");
      return await runCommand(parsed.command, io);
    }
    if (json && parsed.stderr !== "") {
      const [first = ""] = parsed.stderr.split("\n");
      throw new PulseError("USAGE", first.replace(/^pulse: /, ""));
    }
    io.stdout(parsed.stdout);
    io.stderr(parsed.stderr);
    return parsed.code;
  } catch (error) {
    if (error instanceof Deno.errors.BrokenPipe) return exitCode.failed;
    io.stderr(`${json ? jsonError(error) : plainError(error, io)}\n`);
    return exitCodeFor(error);
  }
}

/** Answered before anything is loaded. */
function isVersion([first, ...rest]: readonly string[]): boolean {
  return ["version", "--version", "-v", "-V"].includes(first ?? "") &&
    rest.every((arg) => arg === "--json");
}

function usesColour(io: CliIo): boolean {
  return io.stdoutIsTerminal && !io.env("NO_COLOR");
}

function jsonError(error: unknown): string {
  return JSON.stringify({
    code: errorCode(error),
    error: errorText(error),
    ...(error instanceof PulseError ? { fields: error.fields } : {}),
  });
}

/** The message line by line: some have more than one, and none may act on the terminal. */
function plainError(error: unknown, io: CliIo): string {
  const lines = [`pulse: ${errorText(error)}`.split("\n")].flat().map(escapeText);
  if (!(error instanceof PulseError) && error instanceof Error) {
    lines.push("This is a fault in pulse itself; please report it with what follows.");
    if (io.env("PULSE_DEBUG") === undefined) lines.push(firstFrame(error));
    else lines.push(error.stack ?? "");
  }
  return lines.join("\n");
}

function firstFrame(error: Error): string {
  return (error.stack ?? "").split("\n").slice(1, 4).join("\n");
}

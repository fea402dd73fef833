import { join } from "node:path";
import { type CommandOptions, type CommandResult, run } from "./command.ts";

const root = join(import.meta.dirname!, "../..");

/** How pulse is started from source. The only place that knows. */
export const fromSource: readonly string[] = [
  Deno.execPath(),
  "run",
  "-A",
  "--quiet",
  "--no-prompt",
  "--unstable-net",
  "--unstable-worker-options",
  `--config=${join(root, "deno.json")}`,
  join(root, "cli/main.ts"),
];

/** A call of the command line. */
export interface CliCall {
  readonly args: readonly string[];
  /** Given as `--data-dir` unless the arguments have one. */
  readonly dataDir?: string;
  /** The namespace it runs in, from `Lab.node()`. */
  readonly netns?: string;
  /** On top of this process's environment; without colours unless said otherwise. */
  readonly env?: Readonly<Record<string, string>>;
  /**
   * Instead of pulse from source: a packed pulse, an older version.
   * @default fromSource
   */
  readonly command?: readonly string[];
}

/** The whole command line of a call. */
export function commandLine({ args, dataDir, netns, command = fromSource }: CliCall): string[] {
  const given = args.some((arg) => arg === "--data-dir" || arg.startsWith("--data-dir="));
  return [
    ...(netns === undefined ? [] : ["ip", "netns", "exec", netns]),
    ...command,
    ...args,
    ...(dataDir === undefined || given ? [] : ["--data-dir", dataDir]),
  ];
}

/** Runs a command of pulse to its end: `join`, `status --json`, ... @throws {Error} it does not end in time */
export async function runCli(call: CliCall, options?: CommandOptions): Promise<CommandResult> {
  return await run(commandLine(call), {
    timeoutMs: 60_000,
    ...options,
    env: { NO_COLOR: "1", ...call.env },
  });
}

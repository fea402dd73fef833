import { errorCode } from "../core/errors/mod.ts";

/** What the process says when it ends; part of the command line's contract. */
export const exitCode = {
  ok: 0,
  /** The command was understood and failed. */
  failed: 1,
  /** The command line or the configuration makes no sense. */
  usage: 2,
  /** The command needs a running daemon and none answers. */
  notRunning: 3,
} as const;

/** What only the one who typed the command can mend. */
const usageCodes: ReadonlySet<string> = new Set([
  "USAGE",
  "CONFIG_INVALID",
  "IDENTITY_NETWORK_INVALID",
  "JOIN_CODE_INVALID",
  "JOIN_NETWORK",
  "JOIN_TOKEN_MISSING",
  "TUNNEL_INVALID",
]);

/** The exit code that fits an error. */
export function exitCodeFor(error: unknown): number {
  const code = errorCode(error);
  if (code === "PULSE_NOT_RUNNING") return exitCode.notRunning;
  return usageCodes.has(code) ? exitCode.usage : exitCode.failed;
}

import { PulseError } from "../errors/mod.ts";
import type { LogLevel } from "../plugin/types.ts";

/** Lowest first. */
export const logLevels: readonly LogLevel[] = ["debug", "info", "warn", "error"];

/** 0 for debug up to 3 for error. */
export function logLevelRank(level: LogLevel): number {
  return logLevels.indexOf(level);
}

/**
 * A level by name, in any case; `warning` is `warn`.
 * @throws {PulseError} LOG_LEVEL_INVALID
 */
export function parseLogLevel(text: string): LogLevel {
  const name = text.trim().toLowerCase();
  const level = logLevels.find((candidate) => candidate === name);
  if (level !== undefined) return level;
  if (name === "warning") return "warn";
  throw new PulseError(
    "LOG_LEVEL_INVALID",
    `"${text.slice(0, 40)}" is not a log level; use debug, info, warn or error`,
  );
}

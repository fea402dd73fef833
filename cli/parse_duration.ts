import { readDuration } from "../core/clock/duration.ts";
import { UsageError } from "./usage_error.ts";

/**
 * Seconds of `90s`, `15m`, `1h30m` or `7d`.
 * @throws {UsageError}
 */
export function parseDuration(text: string): number {
  const ms = readDuration(text.trim());
  if (ms !== undefined) return ms / 1_000;
  throw new UsageError(`"${text.slice(0, 40)}" is not a time; write it like 90s, 15m, 1h30m or 7d`);
}

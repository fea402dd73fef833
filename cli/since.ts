import { readDuration } from "../core/clock/duration.ts";
import { UsageError } from "./usage_error.ts";

const time = /^\d{4}-\d\d-\d\d(?:[Tt ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:[Zz]|[+-]\d\d:\d\d))?$/;

/**
 * The moment that `1h30m` ago or a time stands for, RFC 3339 in UTC.
 * @throws {UsageError}
 */
export function parseSince(text: string, now: number): string {
  const ago = readDuration(text);
  const at = ago !== undefined
    ? now - ago
    : time.test(text)
    ? Date.parse(text.replace(" ", "T"))
    : NaN;
  // Before 1970 there was nothing to remember.
  if (Number.isFinite(at)) return new Date(Math.max(0, at)).toISOString();
  throw new UsageError(
    `"${text.slice(0, 60)}" is not a time: use 90s, 1h30m, 7d, or 2026-05-01T12:00:00Z`,
  );
}

import { ScribeError } from "./errors.ts";

const units = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;
const maxMs = 3650 * units.d;

/**
 * Milliseconds of `90s`, `15m`, `24h`, `7d` or a number of seconds; at least a second, at most ten years.
 * @throws {ScribeError} SCRIBE_REQUEST_INVALID
 */
export function parseDuration(value: string | number): number {
  const match = /^(\d{1,10})([smhd])$/.exec(String(value));
  const ms = typeof value === "number"
    ? value * 1000
    : Number(match?.[1] ?? NaN) * units[(match?.[2] ?? "s") as keyof typeof units];
  if (!Number.isFinite(ms) || ms < 1000 || ms > maxMs) {
    throw new ScribeError(
      "SCRIBE_REQUEST_INVALID",
      `"${
        String(value).slice(0, 40)
      }" is not a time: use seconds or 90s, 15m, 24h, 7d, ten years at most`,
    );
  }
  return Math.round(ms);
}

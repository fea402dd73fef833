import { UsageError } from "./usage_error.ts";

const units: ReadonlyMap<string, number> = new Map([["s", 1], ["m", 60], ["h", 3_600], [
  "d",
  86_400,
]]);

/**
 * Seconds of `90s`, `15m`, `24h` or `7d`.
 * @throws {UsageError}
 */
export function parseDuration(text: string): number {
  const match = /^(\d{1,9})([smhd])$/.exec(text.trim());
  const unit = units.get(match?.[2] ?? "");
  if (unit !== undefined) return Number(match?.[1]) * unit;
  throw new UsageError(`"${text.slice(0, 40)}" is not a time; write it like 90s, 15m, 24h or 7d`);
}

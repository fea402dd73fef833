import { UsageError } from "./usage_error.ts";

const unitMs = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 } as const;
const duration = /^(?:\d{1,9}[smhdw])+$/;
const time = /^\d{4}-\d\d-\d\d(?:[Tt ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:[Zz]|[+-]\d\d:\d\d))?$/;

/**
 * The moment that `1h30m` ago or a time stands for, RFC 3339 in UTC.
 * @throws {UsageError}
 */
export function parseSince(text: string, now: number): string {
  let at = NaN;
  if (duration.test(text)) {
    at = now;
    for (const [, count, unit] of text.matchAll(/(\d+)([smhdw])/g)) {
      at -= Number(count) * unitMs[unit as keyof typeof unitMs];
    }
  } else if (time.test(text)) {
    at = Date.parse(text.replace(" ", "T"));
  }
  // Before 1970 there was nothing to remember.
  if (Number.isFinite(at)) return new Date(Math.max(0, at)).toISOString();
  throw new UsageError(
    `"${text.slice(0, 60)}" is not a time: use 90s, 1h30m, 7d, or 2026-05-01T12:00:00Z`,
  );
}

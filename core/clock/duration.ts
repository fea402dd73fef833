const unitMs = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 } as const;
const form = /^(?:\d{1,9}[smhdw]){1,5}$/;

/** Milliseconds of `90s`, `15m`, `1h30m`, `7d` or `2w`; undefined for what is none. Zero and endless times are the caller's to refuse. */
export function readDuration(text: string): number | undefined {
  if (!form.test(text)) return undefined;
  let ms = 0;
  for (const [, count, unit] of text.matchAll(/(\d+)([smhdw])/g)) {
    ms += Number(count) * unitMs[unit as keyof typeof unitMs];
  }
  return ms;
}

/** Ten years: longer is not meant. */
const longestMs = 3650 * unitMs.d;

/**
 * Milliseconds of a time to live: text, or a number of seconds; at least a second, at most ten years.
 * @returns the time, or what is wrong with it
 */
export function readTimeToLive(value: string | number): number | { readonly problem: string } {
  const ms = typeof value === "number" ? Math.round(value * 1_000) : readDuration(value) ?? NaN;
  if (ms >= 1_000 && ms <= longestMs) return ms;
  const shown = String(value).slice(0, 40);
  return { problem: `"${shown}" is not a time: use 90s, 15m, 1h30m, 7d, ten years at most` };
}

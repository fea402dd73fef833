const steps = "▁▂▃▄▅▆▇█";

/** Values as a line of small bars, the largest of them full height; a gap where there is none. Many are averaged into `width` bars. */
export function sparkline(values: readonly (number | null)[], width: number): string {
  const bars = Math.min(width, values.length);
  const means = Array.from({ length: bars }, (_, i) => {
    const from = Math.floor(i * values.length / bars);
    const to = Math.floor((i + 1) * values.length / bars);
    const known = values.slice(from, to).filter((value) => value !== null);
    return known.length === 0 ? null : known.reduce((sum, value) => sum + value, 0) / known.length;
  });
  const most = Math.max(0, ...means.map((value) => value ?? 0));
  return means.map((value) => {
    if (value === null) return " ";
    if (most === 0) return steps[0];
    return steps[Math.min(steps.length - 1, Math.floor(value / most * steps.length))];
  }).join("");
}

import type { PluginMetric } from "../plugin/types.ts";

/**
 * Prometheus text exposition 0.0.4, for nodes without the metrics plugin. Samples of one name must share their help and type:
 * the first one's are used. Names and labels that the format does not allow are left out, so that one bad plugin cannot spoil
 * the scrape.
 */
export function expositionText(samples: readonly PluginMetric[]): string {
  const families = new Map<string, PluginMetric[]>();
  for (const sample of samples) {
    if (!/^[a-zA-Z_:][a-zA-Z0-9_:]*$/.test(sample.name)) continue;
    const family = families.get(sample.name);
    if (family === undefined) families.set(sample.name, [sample]);
    else family.push(sample);
  }
  const lines: string[] = [];
  for (const [name, family] of families) {
    const { help, type } = family[0]!;
    lines.push(`# HELP ${name} ${help.replaceAll("\\", "\\\\").replaceAll("\n", "\\n")}`);
    lines.push(`# TYPE ${name} ${type}`);
    for (const sample of family) {
      for (const [suffix, value, le] of values(sample)) {
        const labels = le === undefined ? sample.labels : { ...sample.labels, le };
        lines.push(`${name}${suffix}${labelText(labels)} ${value}`);
      }
    }
  }
  return lines.join("\n") + "\n";
}

/** What a sample is written as: name suffix, value and, of a histogram's buckets, the bound. */
export function* values(
  { value, histogram }: PluginMetric,
): Generator<readonly [suffix: string, value: number, le?: string]> {
  if (histogram === undefined) {
    yield ["", value];
    return;
  }
  const { bounds, counts, sum } = histogram;
  let cumulative = 0;
  for (const [i, count] of counts.entries()) {
    cumulative += count;
    yield ["_bucket", cumulative, i < bounds.length ? String(bounds[i]) : "+Inf"];
  }
  yield ["_sum", sum];
  yield ["_count", cumulative];
}

function labelText(given: PluginMetric["labels"]): string {
  const labels = Object.entries(given ?? {}).filter(([key]) =>
    /^[a-zA-Z_][a-zA-Z0-9_]*$/.test(key)
  );
  if (labels.length === 0) return "";
  const escaped = labels.map(([key, value]) =>
    `${key}="${value.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n")}"`
  );
  return `{${escaped.join(",")}}`;
}

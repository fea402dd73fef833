import type { PluginMetric } from "../plugin/types.ts";

/**
 * Prometheus text exposition 0.0.4. Samples of one name must share their help and type: the first one's are used. Names and
 * labels that the format does not allow are left out, so that one bad plugin cannot spoil the scrape.
 */
export function prometheusText(samples: readonly PluginMetric[]): string {
  const families = new Map<string, PluginMetric[]>();
  for (const sample of samples) {
    if (!/^[a-zA-Z_:][a-zA-Z0-9_:]*$/.test(sample.name)) continue;
    const family = families.get(sample.name);
    if (family === undefined) families.set(sample.name, [sample]);
    else family.push(sample);
  }
  const lines: string[] = [];
  for (const [name, family] of families) {
    lines.push(
      `# HELP ${name} ${family[0]!.help.replaceAll("\\", "\\\\").replaceAll("\n", "\\n")}`,
    );
    lines.push(`# TYPE ${name} ${family[0]!.type}`);
    for (const sample of family) lines.push(`${name}${labelText(sample)} ${sample.value}`);
  }
  return lines.join("\n") + "\n";
}

function labelText(sample: PluginMetric): string {
  const labels = Object.entries(sample.labels ?? {}).filter(([key]) =>
    /^[a-zA-Z_][a-zA-Z0-9_]*$/.test(key)
  );
  if (labels.length === 0) return "";
  const escaped = labels.map(([key, value]) =>
    `${key}="${value.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n")}"`
  );
  return `{${escaped.join(",")}}`;
}

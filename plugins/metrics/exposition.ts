import { type Metric, type MetricType, Registry } from "prom-client";
import { sampleValues } from "../../core/metrics/mod.ts";
import type { PluginMetric } from "../../core/plugin/types.ts";

/** What a registry asks of a metric when it is scraped. */
interface Family {
  readonly name: string;
  readonly help: string;
  /** The library's own list lacks `untyped`; its text writer takes any. */
  readonly type: MetricType | PluginMetric["type"];
  readonly aggregator: "sum";
  readonly values: {
    readonly value: number;
    readonly labels: Readonly<Record<string, string>>;
    readonly metricName?: string;
  }[];
}

/** Samples as Prometheus reads them. The registry lives for one scrape: nothing a peer is called outlives it. */
export async function exposition(samples: readonly PluginMetric[]): Promise<string> {
  const families = new Map<string, Family>();
  for (const sample of samples) {
    const { name, help, type } = sample;
    const family: Family = families.get(name) ??
      { name, help, type, aggregator: "sum", values: [] };
    families.set(name, family);
    for (const [suffix, value, le] of sampleValues(sample)) {
      family.values.push({
        value,
        labels: { ...sample.labels, ...(le !== undefined && { le }) },
        ...(suffix !== "" && { metricName: name + suffix }),
      });
    }
  }
  const registry = new Registry();
  for (const family of families.values()) {
    const metric = { name: family.name, get: () => Promise.resolve(family) };
    registry.registerMetric(metric as unknown as Metric);
  }
  return await registry.metrics();
}

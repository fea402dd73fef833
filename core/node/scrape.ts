import { z } from "zod";
import { errorText } from "../errors/mod.ts";
import { expositionText, nodeSamples, uncleanNames } from "../metrics/mod.ts";
import type { PluginHost } from "../plugin/mod.ts";
import type { Json, LogFn, PluginMetric } from "../plugin/types.ts";
import { metricsInput } from "./metrics.ts";
import type { Node } from "./node.ts";

export interface ScrapeOptions {
  /** Undefined before it has joined. */
  readonly node: Node | undefined;
  readonly plugins: Pick<PluginHost, "metrics" | "provides" | "call">;
  readonly log: LogFn;
  /** Wall clock, ms. */
  readonly now: number;
}

/** What a node and its plugins measure, as Prometheus reads it: written by the metrics plugin, or here where there is none. */
export async function scrape(
  names: "all" | "clean",
  { node, plugins, log, now }: ScrapeOptions,
): Promise<string> {
  const own = node === undefined ? [] : nodeSamples(metricsInput(node, now));
  const samples = [...own, ...withoutRepeats(await plugins.metrics(), own)];
  if (plugins.provides("metrics")) {
    try {
      const argument = { names, samples } as unknown as Json;
      return z.string().parse(await plugins.call("metrics", "render", argument));
    } catch (error) {
      log("warn", "the metrics plugin failed a scrape", { error: errorText(error) });
    }
  }
  return expositionText(
    names === "all" ? samples : samples.filter(({ name }) => !uncleanNames.has(name)),
  );
}

/**
 * One sample for a name and its labels: two would make Prometheus refuse the whole scrape. The node's own names are its own; of plugins
 * that say the same (tokens, at a node that is CA and scribe) the first counts.
 */
function withoutRepeats(
  samples: readonly PluginMetric[],
  own: readonly PluginMetric[],
): PluginMetric[] {
  const taken = new Set(own.map(({ name }) => name));
  const seen = new Set<string>();
  return samples.filter(({ name, labels = {} }) => {
    const series = JSON.stringify([name, Object.entries(labels).sort()]);
    if (taken.has(name) || seen.has(series)) return false;
    seen.add(series);
    return true;
  });
}

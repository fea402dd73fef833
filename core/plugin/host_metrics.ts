import type { SupervisedPlugin } from "./supervised_plugin.ts";
import type { PluginMetric } from "./types.ts";

/** What the host knows about its plugins, one sample each. */
export function hostMetrics(plugins: readonly SupervisedPlugin[]): PluginMetric[] {
  const sample = (
    name: string,
    help: string,
    type: PluginMetric["type"],
    value: (plugin: SupervisedPlugin) => number,
  ): PluginMetric[] =>
    plugins.map((plugin) => ({
      name,
      help,
      type,
      value: value(plugin),
      labels: { plugin: plugin.name },
    }));
  return [
    ...sample("pulse_plugin_up", "1 while the plugin runs", "gauge", (p) => p.running ? 1 : 0),
    ...sample(
      "pulse_plugin_restarts_total",
      "Starts of the plugin after the first",
      "counter",
      (p) => p.restarts,
    ),
    ...sample(
      "pulse_plugin_streams",
      "Streams the plugin has open",
      "gauge",
      (p) => p.running?.openStreams ?? 0,
    ),
  ];
}

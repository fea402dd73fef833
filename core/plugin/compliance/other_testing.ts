/** The neighbour of the compliance suite's plugin. @module */
import type { PluginContext, PluginHooks } from "../types.ts";

export default ({ host }: PluginContext): PluginHooks => ({
  services: { other: { double: (argument) => Promise.resolve((argument as number) * 2) } },
  onStop: () => host.emit("other stopped", {}),
});

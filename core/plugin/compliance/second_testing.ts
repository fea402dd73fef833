/** A plugin that serves the same protocol as another one, or a protocol of its own. @module */
import type { PluginContext, PluginHooks } from "../types.ts";

export default ({ config, host }: PluginContext): PluginHooks => {
  const protocol = (config as { protocol?: string } | null)?.protocol ?? "crash.hold";
  return {
    streams: { [protocol]: (stream) => stream.closed },
    onStop: () => host.emit("second stops", {}),
  };
};

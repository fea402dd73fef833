/** The plugin host: manifests, load order, permissions, Workers, and the one face core sees of all plugins. @module */
export { PluginError, type PluginErrorCode } from "./errors.ts";
export {
  type ExpandOptions,
  expandPermissions,
  type WorkerPermissions,
} from "./expand_permissions.ts";
export { PluginHost, type PluginHostOptions } from "./host.ts";
export { defaultInstanceLimits, type InstanceLimits } from "./instance.ts";
export { parseManifests } from "./manifest.ts";
export { loadOrder, type OrderOptions } from "./order.ts";
export type { PluginHealth } from "./replies.ts";
export { splice, type SpliceTally } from "./splice.ts";
export { defaultRestartPolicy, type RestartPolicy } from "./supervised_plugin.ts";
export type * from "./types.ts";

/**
 * Paths through the mesh, computed at the source; and the measurement of links that they rest on. Sans-I/O.
 * @module
 */
export type { GraphLink, NoPathReason, Path } from "./types.ts";
export { isNoPath, type NoPath } from "./no_path.ts";
export { type Avoid, type Paths, Router, type RouterOptions } from "./router.ts";
export type { QuickestWay } from "./quickest_ways.ts";
export { MAX_HOPS } from "./k_shortest_paths.ts";
export { score, UNMEASURED_MS } from "./score.ts";
export {
  LinkProber,
  type LinkProberOptions,
  type LinkQuality,
  PROBE_BYTES,
  type ProberTick,
} from "./prober.ts";

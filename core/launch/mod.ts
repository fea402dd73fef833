/** What the daemon's process may do, computed before it starts and tried from inside. @module */
export { computeDenoFlags, type FlagOptions } from "./flags.ts";
export { probePermissions } from "./self_probe.ts";

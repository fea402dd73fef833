/** Own yamux, wire compatible with hashicorp/yamux. @module */
export { GoAwayCode } from "./frame.ts";
export { defaultYamuxLimits, type YamuxLimits, type YamuxStats } from "./yamux_limits.ts";
export { type BytePipe, type YamuxEnd, type YamuxOptions, YamuxSession } from "./yamux_session.ts";

/** What a node remembers: events, statistics of its peers, and who changed what. @module */
export { HistoryError, type HistoryErrorCode } from "./errors.ts";
export {
  History,
  historyFiles,
  type HistoryOptions,
  type HistoryWarning,
  maxFileBytes,
} from "./history.ts";
export { redact } from "./redact.ts";
export type { PeerSample } from "./rollup.ts";
export { maxSampledPeers } from "./stats_store.ts";
export type * from "./types.ts";
export type { Clock } from "../clock/clock.ts";
export { type ErrorFields, PulseError } from "../errors/mod.ts";
export type { Json, LogFn, LogLevel } from "../plugin/types.ts";

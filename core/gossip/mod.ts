/** Signed self-records, spread to every node: sans-I/O. @module */
export type { Content } from "./content.ts";
export { decodeContent, encodeContent } from "./content.ts";
export type { GossipCounter, GossipCounters } from "./counters.ts";
export { type GossipEffects, GossipEngine, type GossipEngineOptions } from "./engine.ts";
export { GossipError, type GossipErrorCode } from "./errors.ts";
export type { GossipEvent } from "./events.ts";
export {
  defaultGossipLimits,
  type GossipLimits,
  maxHops,
  maxMessageBytes,
  reportLimits,
} from "./limits.ts";
export type { IntakeServices } from "./intake.ts";
export type { GossipIdentity } from "./publisher.ts";
export { LinkNews } from "./link_news.ts";
export { quantiseLatency, quantiseLoss } from "./quantise.ts";
export type { SignedHead } from "./record.ts";
export type * from "./types.ts";

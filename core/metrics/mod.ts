/** What a node tells of itself in numbers. @module */
export { expositionText, values as sampleValues } from "./exposition_text.ts";
export { Histogram } from "./histogram.ts";
export { nodeSamples, uncleanNames } from "./node_samples.ts";
export type {
  ConfigMetrics,
  FlowMetrics,
  FlowPart,
  GossipMetrics,
  MetricsInput,
  PeerMetrics,
} from "./types.ts";

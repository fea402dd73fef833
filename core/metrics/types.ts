import type { MetricHistogram } from "../plugin/types.ts";

/** One other node, as metrics tell of it. */
export interface PeerMetrics {
  readonly id: string;
  /** Null: it has none, and the beginning of its id stands in. */
  readonly name: string | null;
  /** Links on the best path; 0 when there is none. */
  readonly hops: number;
  /** Null when there is no direct session. */
  readonly link: string | null;
  /** Milliseconds; null while unmeasured. */
  readonly latencyMs: number | null;
  readonly loss: number;
  readonly bytesIn: number;
  readonly bytesOut: number;
}

/** What a node is to a stream. */
export type FlowPart = "source" | "relay" | "destination";

/** Streams of users' traffic through this node. */
export interface FlowMetrics {
  /** Open now, by this node's part in them. */
  readonly open: { readonly [part in FlowPart]: number };
  /** Since the start. */
  readonly total: { readonly [part in FlowPart]: number };
}

/** What of the network config is in force here. */
export interface ConfigMetrics {
  readonly epoch: number;
  readonly version: number;
  readonly dnsRecords: number;
  readonly aclRules: number;
  /** Streams refused or cut, by the index of the rule (`unmatched` where none decided). */
  readonly denials: ReadonlyMap<string, number>;
}

export interface GossipMetrics {
  readonly bytesIn: number;
  readonly bytesOut: number;
  /** Records that were not what they claimed to be. */
  readonly forged: number;
  readonly recordsIn: number;
}

/** Everything a node's metrics are made of, gathered when somebody asks. */
export interface MetricsInput {
  readonly id: string;
  readonly network: string;
  readonly version: string;
  readonly certificateSecondsLeft: number;
  /** Of the CA's certificate. */
  readonly caSecondsLeft: number;
  readonly peers: readonly PeerMetrics[];
  readonly revoked: number;
  readonly flows: FlowMetrics;
  readonly config: ConfigMetrics;
  readonly gossip: GossipMetrics;
  /** Links that came back after they had been up before. */
  readonly reconnects: number;
  /** Bytes over all links since the start. */
  readonly traffic: { readonly bytesIn: number; readonly bytesOut: number };
  /** Round trips of links in seconds. */
  readonly roundTrips: MetricHistogram;
}

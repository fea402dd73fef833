import { Histogram } from "./histogram.ts";
import type { MetricsInput, PeerMetrics } from "./types.ts";

/** A node with so many peers, every second of them linked. */
export function sampleInput(peers: number): MetricsInput {
  const roundTrips = new Histogram([0.001, 0.01, 0.1]);
  for (const seconds of [0.0005, 0.005, 0.5]) roundTrips.observe(seconds);
  return {
    id: "a".repeat(32),
    network: "home",
    version: "1.2.3",
    certificateSecondsLeft: 7_776_000,
    caSecondsLeft: 315_360_000,
    peers: Array.from({ length: peers }, (_, n): PeerMetrics => ({
      id: n.toString(16).padStart(32, "0"),
      name: n % 3 === 0 ? null : `node-${n}`,
      hops: n % 2 + 1,
      link: n % 2 === 0 ? "quic" : null,
      latencyMs: n % 5 === 4 ? null : n / 8,
      loss: 0.1,
      bytesIn: n,
      bytesOut: 2 * n,
    })),
    revoked: 2,
    flows: {
      open: { source: 1, relay: 2, destination: 3 },
      total: { source: 10, relay: 20, destination: 30 },
    },
    config: {
      epoch: 1,
      version: 7,
      dnsRecords: 4,
      aclRules: 5,
      denials: new Map([["3", 8], ["unmatched", 1]]),
    },
    gossip: { bytesIn: 100, bytesOut: 200, forged: 1, recordsIn: 50 },
    reconnects: 6,
    traffic: { bytesIn: 1_000, bytesOut: 2_000 },
    roundTrips: roundTrips.snapshot(),
  };
}

import type { NodeId } from "../../core/identity/mod.ts";
import type { PluginMetric } from "../../core/plugin/types.ts";
import type { LoopStats } from "./loop/types.ts";

/** Peers with samples of their own; a plugin may give 1,000 samples in all. */
const maxPeers = 120;

export interface Measured {
  /** Undefined before the loop has said anything. */
  readonly stats: LoopStats | undefined;
  peerOf(index: number): NodeId | undefined;
  /** Segments that no session took. */
  readonly sessionDrops: number;
}

/** Samples for Prometheus. */
export function tunMetrics({ stats, peerOf, sessionDrops }: Measured): PluginMetric[] {
  if (stats === undefined) return [];
  const samples: PluginMetric[] = [];
  const add = (
    type: "gauge" | "counter",
    name: string,
    help: string,
    value: number,
    labels: Record<string, string> = {},
  ) => void samples.push({ name: `pulse_tun_${name}`, help, type, value, labels });
  for (const peer of stats.peers.slice(0, maxPeers)) {
    const id = peerOf(peer.index);
    if (id === undefined) continue;
    const labels = { peer: id };
    const counter = (name: string, help: string, value: number) =>
      add("counter", name, help, value, labels);
    counter("received_packets_total", "Packets from a peer", peer.packetsIn);
    counter("sent_packets_total", "Packets to a peer", peer.packetsOut);
    counter("received_bytes_total", "Bytes of packets from a peer", peer.bytesIn);
    counter("sent_bytes_total", "Bytes of packets to a peer", peer.bytesOut);
    counter("lost_segments_total", "Segments lost on the way here", peer.lost);
    counter("repaired_segments_total", "Lost segments that parity brought back", peer.repaired);
  }
  const sum = (count: (of: LoopStats["labels"][number]) => number) =>
    stats.labels.reduce((total, label) => total + count(label), 0);
  add("gauge", "relayed_paths", "Paths of others through this node", stats.labels.length);
  add(
    "gauge",
    "relayed_segments",
    "Segments passed on, on the paths that are open",
    sum(({ segments }) => segments),
  );
  add("gauge", "relayed_bytes", "Bytes passed on, on those paths", sum(({ bytes }) => bytes));
  const dropped = "Packets and segments not carried, by reason";
  for (const [reason, count] of Object.entries(stats.drops)) {
    add("counter", "dropped_total", dropped, count, { reason });
  }
  add("counter", "dropped_total", dropped, sessionDrops, { reason: "session" });
  return samples;
}

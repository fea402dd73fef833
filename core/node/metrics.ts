import type { PluginMetric } from "../plugin/types.ts";
import type { Node } from "./node.ts";

/** This node's own samples. */
export function nodeMetrics(node: Node, now: number): PluginMetric[] {
  const samples: PluginMetric[] = [];
  const add = (
    name: string,
    help: string,
    value: number,
    labels?: PluginMetric["labels"],
    type: PluginMetric["type"] = "gauge",
  ) => samples.push({ name, help, type, value, ...(labels && { labels }) });
  const records = [...node.records()];
  const linked = node.linkedPeers();
  add("pulse_peers_total", "Nodes known, without this one", records.length - 1);
  add("pulse_peers_connected", "Nodes with a direct session", linked.length);
  add(
    "pulse_cert_expiry_seconds",
    "Seconds until this node's certificate expires",
    Math.floor((node.credentials.certificate.notAfter - now) / 1000),
  );
  for (const peer of linked) {
    const link = node.link(peer);
    if (link === undefined) continue;
    const labels = { node_id: peer };
    const measure = node.measure(link);
    if (measure !== undefined) {
      add("pulse_peer_latency_ms", "Smoothed round trip of the link", measure.latencyMs, labels);
      add("pulse_peer_loss_ratio", "Lost probes of the last ten, 0 to 1", measure.loss, labels);
    }
    add("pulse_peer_link_type", "1 for the transport in use", 1, { ...labels, type: link.kind });
    const { stats } = link.session;
    add("pulse_link_received_bytes_total", "Bytes received", stats.bytesIn, labels, "counter");
    add("pulse_link_sent_bytes_total", "Bytes sent", stats.bytesOut, labels, "counter");
  }
  return samples;
}

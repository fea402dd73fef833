import type { PluginMetric } from "../plugin/types.ts";
import type { MetricsInput, PeerMetrics } from "./types.ts";

/**
 * A node's samples. Gauges that dashboards know under a name that ends in `_total` or `_count` are `untyped`, because only a counter or
 * a histogram may be called so. What dashboards know under a name or in a unit Prometheus advises against is there under a better one too.
 */
export function nodeSamples(input: MetricsInput): PluginMetric[] {
  const samples: PluginMetric[] = [];
  const add = (
    type: PluginMetric["type"],
    name: string,
    help: string,
    value: number,
    labels?: PluginMetric["labels"],
  ) => samples.push({ name, help, type, value, ...(labels && { labels }) });
  const { peers, config, flows, gossip, traffic } = input;

  add("gauge", "pulse_node_info", "Always 1; what this node is", 1, {
    node_id: input.id,
    network_id: input.network,
    version: input.version,
  });
  add("untyped", "pulse_peers_total", "Nodes known, without this one", peers.length);
  const linked = peers.filter(({ link }) => link !== null).length;
  add("gauge", "pulse_peers_connected", "Nodes with a direct session", linked);
  add(
    "gauge",
    "pulse_cert_expiry_seconds",
    "Seconds until this node's certificate expires",
    input.certificateSecondsLeft,
  );
  add(
    "gauge",
    "pulse_ca_expiry_seconds",
    "Seconds until the certificate of this node's CA expires",
    input.caSecondsLeft,
  );
  add("untyped", "pulse_revoked_nodes_total", "Nodes refused here", input.revoked);
  add("gauge", "pulse_config_epoch", "Grant the network config was signed under", config.epoch);
  add("gauge", "pulse_config_version", "Version of the network config in force", config.version);
  add("untyped", "pulse_dns_zones_total", "DNS records of the config", config.dnsRecords);
  add("untyped", "pulse_acl_rules_total", "Access rules of the config", config.aclRules);
  for (const [rule, count] of config.denials) {
    add("counter", "pulse_denials_total", "Streams refused or cut, by rule", count, { rule });
  }
  for (const part of ["source", "relay", "destination"] as const) {
    const labels = { part };
    add("gauge", "pulse_flows", "Streams open, by this node's part", flows.open[part], labels);
    add("counter", "pulse_flows_total", "Streams since the start", flows.total[part], labels);
  }
  const direction = (value: string) => ({ direction: value });
  const gossipBytes = ["pulse_gossip_bytes_total", "Gossip messages"] as const;
  add("counter", ...gossipBytes, gossip.bytesIn, direction("in"));
  add("counter", ...gossipBytes, gossip.bytesOut, direction("out"));
  add("counter", "pulse_gossip_records_total", "Records received", gossip.recordsIn);
  add(
    "counter",
    "pulse_forged_records_total",
    "Records refused: bad signature or certificate",
    gossip.forged,
  );
  add("counter", "pulse_reconnects_total", "Links that came back", input.reconnects);
  const own = { node_id: input.id };
  const since = "over all links since the start";
  add("gauge", "pulse_node_stats_bytes_in", `Bytes received ${since}`, traffic.bytesIn, own);
  add("gauge", "pulse_node_stats_bytes_out", `Bytes sent ${since}`, traffic.bytesOut, own);
  const active = flows.open.source + flows.open.relay + flows.open.destination;
  add("gauge", "pulse_node_stats_active_conns", "Streams open through this node", active, own);
  const { roundTrips } = input;
  samples.push({
    name: "pulse_link_round_trip_seconds",
    help: "Round trips of probes over direct links",
    type: "histogram",
    value: roundTrips.counts.reduce((sum, count) => sum + count, 0),
    histogram: roundTrips,
  });
  for (const peer of peers) addPeer(peer, add);
  return samples;
}

type Add = (
  type: PluginMetric["type"],
  name: string,
  help: string,
  value: number,
  labels?: PluginMetric["labels"],
) => void;

function addPeer(peer: PeerMetrics, add: Add): void {
  const labels = { node_id: peer.id, name: peer.name ?? peer.id.slice(0, 8) };
  const hops = "Links on the best path, 0 for none";
  add("gauge", "pulse_peer_hops", hops, peer.hops, labels);
  add("untyped", "pulse_peer_hop_count", hops, peer.hops, labels);
  if (peer.latencyMs !== null) {
    const round = (value: number) => Math.round(value * 1e6) / 1e6;
    const seconds = round(peer.latencyMs / 1000);
    add("gauge", "pulse_peer_latency_seconds", "Smoothed round trip", seconds, labels);
    const ms = round(peer.latencyMs);
    add("gauge", "pulse_peer_latency_ms", "Smoothed round trip in milliseconds", ms, labels);
  }
  add("gauge", "pulse_peer_loss_ratio", "Lost probes of the last ten, 0 to 1", peer.loss, labels);
  if (peer.link === null) return;
  const typed = { ...labels, type: peer.link };
  add("gauge", "pulse_peer_link_type", "1 for the transport in use", 1, typed);
  add("counter", "pulse_link_received_bytes_total", "Bytes received", peer.bytesIn, labels);
  add("counter", "pulse_link_sent_bytes_total", "Bytes sent", peer.bytesOut, labels);
}

/**
 * Names Prometheus' own linter objects to, each with a twin it does not; `GET /metrics?names=clean` leaves them out. The linter looks for
 * `_ms` in the name of every metric, whatever its type, so a name that has it cannot be had without the complaint.
 */
export const uncleanNames: ReadonlySet<string> = new Set(["pulse_peer_latency_ms"]);

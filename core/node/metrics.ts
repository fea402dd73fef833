import type { MetricsInput, PeerMetrics } from "../metrics/mod.ts";
import { version } from "../version.ts";
import { labels } from "./directory.ts";
import type { Node } from "./node.ts";

/** What this node's metrics are made of. @param now wall clock, ms */
export function metricsInput(node: Node, now: number): MetricsInput {
  const { certificate, anchor } = node.credentials;
  const { body, state } = node.networkConfig;
  const denials = node.denials();
  const gossip = node.gossipCounters();
  return {
    id: node.id,
    network: certificate.network,
    version,
    certificateSecondsLeft: Math.floor((certificate.notAfter - now) / 1000),
    caSecondsLeft: Math.floor((anchor.notAfter - now) / 1000),
    peers: peerMetrics(node),
    revoked: node.revoked.size,
    flows: node.flowCounts(),
    config: {
      epoch: state.config?.document.epoch ?? 0,
      version: state.config?.document.version ?? 0,
      dnsRecords: body.dns.length,
      aclRules: body.acls.length,
      denials: new Map([
        ...Array.from(denials.byRule, ([rule, count]) => [String(rule), count] as const),
        ["unmatched", denials.unmatched],
      ]),
    },
    gossip: {
      bytesIn: gossip.bytesIn,
      bytesOut: gossip.bytesOut,
      recordsIn: gossip.recordsIn,
      forged: gossip.badSignatures + gossip.badCertificates,
    },
    reconnects: node.reconnects,
    traffic: node.traffic(),
    roundTrips: node.roundTrips,
  };
}

/** One search for the ways to all nodes: a search for each would take half a second in a mesh of 1,000. */
function peerMetrics(node: Node): PeerMetrics[] {
  const { body } = node.networkConfig;
  const ways = node.ways();
  const ids = new Set([...node.linkedPeers(), ...Array.from(node.records(), ({ id }) => id)]);
  ids.delete(node.id);
  return Array.from(ids, (id) => {
    const link = node.link(id);
    const measure = link && node.measure(link);
    const way = ways.get(id);
    return {
      id,
      name: labels(body, id).name,
      hops: link !== undefined ? 1 : way?.hops ?? 0,
      link: link?.kind ?? null,
      latencyMs: measure?.latencyMs ?? (link === undefined ? way?.latencyMs ?? null : null),
      loss: measure?.loss ?? way?.loss ?? 0,
      bytesIn: link?.session.stats.bytesIn ?? 0,
      bytesOut: link?.session.stats.bytesOut ?? 0,
    };
  });
}

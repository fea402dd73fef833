import { maxSampledPeers, type PeerSample } from "../history/mod.ts";
import type { NodeId } from "../identity/types.ts";
import type { Node } from "./node.ts";

/** What is known of the peers now: first those with a link, then those that gossip told of, as many as history takes. */
export function peerSamples(node: Node): PeerSample[] {
  const ids = new Set<NodeId>(node.linkedPeers());
  for (const record of node.records()) {
    if (ids.size >= maxSampledPeers) break;
    if (record.id !== node.id) ids.add(record.id);
  }
  return [...ids].slice(0, maxSampledPeers).map((id) => peerSample(node, id));
}

function peerSample(node: Node, peer: NodeId): PeerSample {
  const link = node.link(peer);
  if (link !== undefined) {
    const measure = node.measure(link);
    const { bytesIn, bytesOut } = link.session.stats;
    const { latencyMs = null, loss = 0 } = measure ?? {};
    return { peer, latencyMs, loss, bytesIn, bytesOut, path: link.kind };
  }
  const found = node.paths(peer);
  const best = "paths" in found ? found.paths[0] : undefined;
  const via = best?.nodes[1];
  return {
    peer,
    latencyMs: best?.latencyMs ?? null,
    loss: best?.loss ?? 0,
    bytesIn: 0,
    bytesOut: 0,
    path: via === undefined ? "-" : `via ${via}`,
  };
}

import type { GossipRecord } from "../gossip/types.ts";
import type { NodeId } from "../identity/types.ts";
import type { RememberedPeer } from "./peers_store.ts";

/**
 * Peers to go back to after the next start, linked ones first: those known now that can be dialled; while there are none, those of
 * the last run.
 */
export function worthRemembering(options: {
  readonly self: NodeId;
  readonly records: Iterable<GossipRecord>;
  readonly lastRun: readonly RememberedPeer[];
  linked(peer: NodeId): boolean;
}): RememberedPeer[] {
  const result: RememberedPeer[] = [];
  for (const { id, report } of options.records) {
    if (id === options.self || report.addresses.length === 0) continue;
    result.push({ id, addresses: report.addresses });
  }
  if (result.length === 0) return [...options.lastRun];
  return result.sort((a, b) => Number(options.linked(b.id)) - Number(options.linked(a.id)));
}

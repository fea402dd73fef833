import { formatHostPort, parseHostPort } from "../../../core/address/mod.ts";
import type { NodeId } from "../../../core/identity/mod.ts";
import type { WantedLease } from "../labels/label_leases.ts";
import type { PathTable } from "../loop/types.ts";
import type { MeshLink, MeshNode } from "../mesh/snapshot.ts";

/** What decides how packets to a peer can travel. */
export interface PathFacts {
  link(id: NodeId): MeshLink | undefined;
  /** Whether a node has a data plane, so that it can carry packets for others. */
  carries(id: NodeId): boolean;
  /** A neighbour's data port as it has told it: 0 for QUIC's own; undefined before it has. */
  dataPort(id: NodeId): number | undefined;
  /** Where a peer's segments were last seen to come from, when that is not where its link goes. */
  roamed(id: NodeId): string | undefined;
  /** What the last relay has to write on segments: the name of the key they are sealed with; undefined without a key. */
  readonly receiver: number | undefined;
  /** The label of a path through relays, once there is one. */
  label(lease: WantedLease): number | undefined;
  /** A relay on it has not answered lately. */
  doubtful(lease: WantedLease): boolean;
}

export interface PlannedPaths {
  readonly paths: readonly PathTable[];
  /** Labels that are needed, those there are included. */
  readonly leases: readonly WantedLease[];
}

/** `ip:port` of a neighbour's data port; undefined where packets have to go over the session. */
export function dataEndpoint(facts: Omit<PathFacts, "receiver" | "label">, id: NodeId) {
  const link = facts.link(id);
  const port = facts.dataPort(id);
  if (link === undefined || link.kind === "websocket" || port === undefined) return undefined;
  const roamed = facts.roamed(id);
  if (roamed !== undefined) return roamed;
  return port === 0 ? link.remote : formatHostPort({ host: parseHostPort(link.remote).host, port });
}

/**
 * How packets to a peer are to travel: straight to its data port; through relays that carry packets, by labels; over a session
 * with it; and where all of that fails, on a stream of the mesh.
 */
export function planPaths(peer: MeshNode, facts: PathFacts): PlannedPaths {
  const paths: PathTable[] = [];
  const doubtful: PathTable[] = [];
  const leases: WantedLease[] = [];
  for (const { nodes, weight } of peer.paths) {
    const via = nodes[1]!;
    const endpoint = dataEndpoint(facts, via) ?? null;
    if (facts.link(via) === undefined) continue;
    if (nodes.length === 2) {
      paths.push({ endpoint, via, label: 0, weight });
    } else if (nodes.slice(1, -1).every((id) => facts.carries(id))) {
      if (facts.receiver === undefined) continue;
      const lease = { path: nodes, receiver: facts.receiver };
      leases.push(lease);
      const label = facts.label(lease);
      if (label === undefined) continue;
      (facts.doubtful(lease) ? doubtful : paths).push({ endpoint, via, label, weight });
    }
  }
  // What is in doubt is better than nothing: a relay that is only busy goes on carrying.
  if (paths.length === 0) paths.push(...doubtful);
  if (paths.length === 0 && peer.paths.length > 0) {
    paths.push({ endpoint: null, via: peer.id, label: 0, weight: 1 });
  }
  return { paths, leases };
}

import type { NodeId } from "../identity/types.ts";
import type { SessionKind } from "../sessions/types.ts";

/** What decides which of several sessions to one peer carries new streams. */
export interface LinkCandidate {
  readonly kind: SessionKind;
  readonly role: "dialler" | "acceptor";
  readonly peer: NodeId;
  /** Order of arrival here. */
  readonly order: number;
}

const kindRank: Record<SessionKind, number> = { direct_quic: 1, quic: 1, websocket: 0 };

/**
 * True when `a` is preferred to `b`. Both ends must come to the same answer without a word between them:
 * QUIC before WebSocket; among equals dialled from different ends the one the lower id dialled (crossed dials); among equals from
 * the same end the newer, because a peer that dials again has lost the older one.
 */
export function preferLink(self: NodeId, a: LinkCandidate, b: LinkCandidate): boolean {
  const rank = kindRank[a.kind] - kindRank[b.kind];
  if (rank !== 0) return rank > 0;
  if (a.role !== b.role) {
    const dialler = a.role === "dialler" ? self : a.peer;
    const other = a.role === "dialler" ? a.peer : self;
    return dialler < other;
  }
  return a.order > b.order;
}

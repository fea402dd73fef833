import type { NodeId } from "../identity/types.ts";

/** A directed view of one link; the router believes a link only when both ends report it. */
export interface GraphLink {
  readonly from: NodeId;
  readonly to: NodeId;
  readonly latencyMs: number;
  readonly loss: number;
}

/** The nodes a path visits, the source first and the destination last; no repeats, at most 17 nodes (16 hops). */
export interface Path {
  readonly nodes: readonly NodeId[];
  /** Sum over the links. */
  readonly latencyMs: number;
  /** 1 - product of (1 - loss) over the links. */
  readonly loss: number;
  /** `latency_ms * (1 + 5 * loss) * (1 + 0.3 * hops)`, hops = links beyond the first; lower is better. */
  readonly score: number;
}

/** Why there is no path; each becomes an error the user can act on. */
export type NoPathReason =
  | "unknown-node"
  | "self"
  | "no-links"
  | "unreachable"
  | "too-many-hops"
  | "revoked"
  | "pin-unusable";

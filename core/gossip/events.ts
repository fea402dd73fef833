import type { NodeId } from "../identity/types.ts";
import type { GossipRecord } from "./types.ts";

/** Something the rest of the node may want to know about other nodes; and, once, about its own sequence. */
export type GossipEvent =
  | { readonly type: "added"; readonly record: GossipRecord }
  /** The report or the certificate changed; refreshes are no event. */
  | {
    readonly type: "updated";
    readonly record: GossipRecord;
    readonly previous: GossipRecord;
  }
  | {
    readonly type: "removed";
    readonly record: GossipRecord;
    readonly reason: "pruned" | "revoked" | "dropped";
  }
  /** The author signed two different records with one sequence; the first is kept. */
  | { readonly type: "equivocation"; readonly id: NodeId; readonly sequence: number }
  /** A higher sequence under our own signature was heard; `exhausted` when there is none above it. */
  | { readonly type: "overtaken"; readonly sequence: number; readonly exhausted: boolean };

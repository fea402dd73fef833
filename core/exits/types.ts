import type { NodeId } from "../identity/types.ts";

/** A node that leads out of the mesh, as its own record says. */
export interface ExitNode {
  readonly id: NodeId;
  /** Ranges behind it. */
  readonly cidrs: readonly string[];
  /** Of the best path there, the smaller the better; null: there is no path now. Of no account for this node itself. */
  readonly score: number | null;
}

/** A range that the network config lets a node lead to. */
export interface ExitApproval {
  readonly cidr: string;
  readonly via: NodeId;
}

/**
 * Through whom this node lets the whole internet go: through nobody, through the best one, or through one node, which may not be
 * known yet.
 */
export type ExitChoice = "none" | "auto" | { readonly node: NodeId | undefined };

/** What becomes of a range at an exit, seen from this node. */
export type ExitRouteState =
  /** Addresses of the range go there. */
  | "active"
  /** Another exit of the range is used. */
  | "standby"
  /** This node leads there itself. */
  | "own"
  /** There is no path to the exit. */
  | "unreachable"
  /** The whole internet, or so much of it that it takes `--use-exit`. */
  | "optional"
  /** The network config does not approve it. */
  | "unapproved"
  /** It is approved, and the node does not lead there. */
  | "unannounced"
  /** It lies in the mesh's own range, or where no address of others is. */
  | "reserved";

/** One range at one exit. */
export interface ExitRoute {
  readonly cidr: string;
  readonly via: NodeId;
  readonly state: ExitRouteState;
  readonly score: number | null;
}

/** All that decides. */
export interface ExitFacts {
  readonly exits: readonly ExitNode[];
  readonly approvals: readonly ExitApproval[];
  /** The mesh's own ranges. */
  readonly meshCidrs: readonly string[];
  readonly choice: ExitChoice;
}

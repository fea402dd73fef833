import type { NodeId } from "../identity/types.ts";
import type { NoPathReason, Path } from "./types.ts";

/** Why there is no path, for programs and in words. */
export interface NoPath {
  readonly reason: NoPathReason;
  /** One sentence for people: what is wrong with which node. */
  readonly detail: string;
}

/** Tells the two answers of `Router.choose()` apart. */
export function isNoPath(answer: Path | NoPath): answer is NoPath {
  return "reason" in answer;
}

/** The sentence that goes with each reason; the pin's is made where the pin is tried. */
export const noPath = {
  self: (id: NodeId): NoPath => ({ reason: "self", detail: `${id} is this node itself` }),
  revoked: (id: NodeId): NoPath => ({
    reason: "revoked",
    detail: `Node ${id} is revoked: nothing is sent to it`,
  }),
  unknown: (id: NodeId): NoPath => ({
    reason: "unknown-node",
    detail: `No node ${id} is known in this network, or its record has expired`,
  }),
  isolated: (id: NodeId): NoPath => ({
    reason: "no-links",
    detail:
      `This node has no link to anybody, so none to ${id}: check that a peer or relay answers`,
  }),
  unlinked: (id: NodeId): NoPath => ({
    reason: "no-links",
    detail:
      `Node ${id} is known, but has no link that both ends report and that leads to a valid node`,
  }),
  unreachable: (id: NodeId): NoPath => ({
    reason: "unreachable",
    detail: `No chain of links leads from this node to ${id}: the network is in two parts`,
  }),
  avoided: (id: NodeId): NoPath => ({
    reason: "unreachable",
    detail: `Every path to ${id} uses a link or relay that has just failed`,
  }),
  tooFar: (id: NodeId, hops: number, most: number): NoPath => ({
    reason: "too-many-hops",
    detail: `Node ${id} is ${hops} links away; a path has at most ${most}`,
  }),
  pin: (id: NodeId, via: NodeId, why: string): NoPath => ({
    reason: "pin-unusable",
    detail: `Traffic to ${id} is pinned via ${via}, ${why}: remove the pin or bring ${via} back`,
  }),
} as const;

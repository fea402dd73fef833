import type { Node } from "./node.ts";

/** `pending`: there is a newer CA this node has no certificate of yet. `retired`: its own CA counts for nothing any more. */
export type RollState = "none" | "pending" | "retired";

/** Where this node stands in a CA roll. */
export function rollState({ credentials, trust }: Pick<Node, "credentials" | "trust">): RollState {
  const { issuer } = credentials.certificate;
  if (issuer === trust.newest.fingerprint) return "none";
  const counts = trust.trust.anchors.some(({ fingerprint }) => fingerprint === issuer);
  return counts ? "pending" : "retired";
}

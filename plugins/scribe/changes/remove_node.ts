import type { NodeId } from "../../../core/identity/types.ts";
import { nodeText, withEntry } from "./node_entry.ts";
import { revokeNode } from "./revoke_node.ts";
import type { Change } from "./types.ts";

/**
 * Revokes a node and forgets what the config said of it, so that its name and address are free again.
 * @throws {ScribeError} REVOCATION_INVALID
 */
export const removeNode: Change<{ readonly node: NodeId; readonly reason: string }> = (
  body,
  argument,
  context,
) => {
  const { node, reason } = argument;
  const revoked = revokeNode(body, argument, context).body;
  if (revoked === body && !Object.hasOwn(body.nodes, node)) {
    return { body, note: "removed already" };
  }
  return {
    body: withEntry(revoked, node, { name: null, tags: [], meshIp: null, pinnedVia: null }),
    note: `${nodeText(body, node)} removed: ${reason}`,
  };
};

import type { NodeId } from "../../../core/identity/types.ts";
import { ScribeError } from "../errors.ts";
import { nodeText } from "./node_entry.ts";
import type { Change } from "./types.ts";

/** Puts a node out of the network; one that is out already is no change. @throws {ScribeError} REVOCATION_INVALID */
export const revokeNode: Change<{ readonly node: NodeId; readonly reason: string }> = (
  body,
  { node, reason },
  { now, self },
) => {
  if (node === self) {
    throw new ScribeError(
      "REVOCATION_INVALID",
      "the scribe cannot revoke itself: make another node the scribe first",
      { node },
    );
  }
  if (body.revoked.some((entry) => entry.node === node)) {
    return { body, note: "revoked already" };
  }
  return {
    body: { ...body, revoked: [...body.revoked, { node, at: now, reason }] },
    note: `${nodeText(body, node)} revoked${reason === "" ? "" : `: ${reason}`}`,
  };
};

import type { NodeId } from "../../../core/identity/types.ts";
import { ScribeError } from "../errors.ts";
import { nodeText } from "./node_entry.ts";
import type { Change } from "./types.ts";

/** Lets a revoked node come back. @throws {ScribeError} REVOCATION_UNKNOWN */
export const unrevokeNode: Change<{ readonly node: NodeId }> = (body, { node }) => {
  if (!body.revoked.some((entry) => entry.node === node)) {
    throw new ScribeError("REVOCATION_UNKNOWN", `node ${node} is not revoked`, { node });
  }
  return {
    body: { ...body, revoked: body.revoked.filter((entry) => entry.node !== node) },
    note: `${nodeText(body, node)} is no longer revoked`,
  };
};

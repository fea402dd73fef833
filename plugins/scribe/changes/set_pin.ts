import type { NodeId } from "../../../core/identity/types.ts";
import { ScribeError } from "../errors.ts";
import { entryOf, nodeText, withEntry } from "./node_entry.ts";
import type { Change } from "./types.ts";

/** Sends every path to a node through another one, or (null) no longer. @throws {ScribeError} PIN_INVALID */
export const setPin: Change<{ readonly node: NodeId; readonly via: NodeId | null }> = (
  body,
  { node, via },
) => {
  if (entryOf(body, node).pinnedVia === via) return { body, note: "pin unchanged" };
  // A path to `via` must not need one to `node`, however many pins lie between.
  for (let at = via, steps = 0; at !== null; at = entryOf(body, at).pinnedVia, steps++) {
    if (at === node || steps > Object.keys(body.nodes).length) {
      throw new ScribeError(
        "PIN_INVALID",
        `every path to ${node} through ${via} would lead in a circle; remove the pin of ${via} first, or name another node`,
        { node, via: via ?? "" },
      );
    }
  }
  const note = via === null
    ? `${nodeText(body, node)} is not pinned any more`
    : `${nodeText(body, node)} is reached through ${nodeText(body, via)}`;
  return { body: withEntry(body, node, { pinnedVia: via }), note };
};

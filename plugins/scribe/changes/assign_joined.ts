import type { NodeId } from "../../../core/identity/types.ts";
import type { TokenEntry } from "../../../core/netconfig/types.ts";
import { entryOf, nodeText, withEntry } from "./node_entry.ts";
import type { Change } from "./types.ts";

/** Gives a node what the token it joined with promises. A name somebody else has by now stays with that one. */
export const assignJoined: Change<{ readonly node: NodeId; readonly token: TokenEntry }> = (
  body,
  { node, token },
) => {
  const entry = entryOf(body, node);
  const tags = [...new Set([...entry.tags, ...token.tags])].sort();
  const taken = Object.values(body.nodes).some(({ name }) => name === token.name);
  const name = entry.name ?? (taken ? null : token.name);
  if (name === entry.name && tags.length === entry.tags.length) {
    return { body, note: "nothing to assign" };
  }
  const next = withEntry(body, node, { name, tags });
  return { body: next, note: `${nodeText(next, node)} joined with token ${token.id}` };
};

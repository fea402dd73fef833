import type { NodeId } from "../../../core/identity/types.ts";
import { entryOf, nodeText, withEntry } from "./node_entry.ts";
import { checkTag } from "./tag.ts";
import type { Change } from "./types.ts";

/** Gives a node a tag; one it has already is no change. @throws {ScribeError} TAG_INVALID */
export const tagNode: Change<{ readonly node: NodeId; readonly tag: string }> = (
  body,
  { node, tag },
) => {
  checkTag(tag);
  const { tags } = entryOf(body, node);
  if (tags.includes(tag)) return { body, note: "tag unchanged" };
  return {
    body: withEntry(body, node, { tags: [...tags, tag].sort() }),
    note: `${nodeText(body, node)} has tag ${tag}`,
  };
};

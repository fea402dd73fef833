import type { NodeId } from "../../../core/identity/types.ts";
import type { ConfigBody } from "../../../core/netconfig/types.ts";
import { ScribeError } from "../errors.ts";
import { entryOf, nodeText, withEntry } from "./node_entry.ts";
import type { Change } from "./types.ts";

/** A host name label as RFC 1123 section 2.1 has it, in lower case. */
const label = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/;
const idLike = /^[0-9a-f]{32}$/;

/** Gives a node its name, or takes it away (null). @throws {ScribeError} NAME_INVALID, NAME_TAKEN */
export const setName: Change<{ readonly node: NodeId; readonly name: string | null }> = (
  body,
  { node, name },
) => {
  if (entryOf(body, node).name === name) return { body, note: "name unchanged" };
  if (name !== null) checkName(body, name, node);
  const note = name === null
    ? `${nodeText(body, node)} has no name any more`
    : `${nodeText(body, node)} is called ${name}`;
  return { body: withEntry(body, node, { name }), note };
};

/**
 * Whether a node may have this name.
 * @param node the one that is to have it; null: nobody yet
 * @throws {ScribeError} NAME_INVALID, NAME_TAKEN
 */
export function checkName(body: ConfigBody, name: string, node: NodeId | null): void {
  if (!label.test(name) || idLike.test(name)) {
    throw new ScribeError(
      "NAME_INVALID",
      `"${
        name.slice(0, 80)
      }" cannot be a node's name: use 1 to 63 of a-z, 0-9 and -, no - at the ends, and nothing that looks like an id`,
      { name: name.slice(0, 80) },
    );
  }
  const holder = Object.entries(body.nodes).find(([id, entry]) =>
    entry.name === name && id !== node
  );
  if (holder !== undefined) {
    throw new ScribeError(
      "NAME_TAKEN",
      `node ${holder[0]} is called ${name} already: names are unique in a network`,
      { name, node: holder[0] },
    );
  }
  if (body.dns.some((record) => record.type === "CNAME" && record.name === name)) {
    throw new ScribeError(
      "NAME_TAKEN",
      `${name}.pulse is a CNAME record: remove that, or choose another name`,
      { name },
    );
  }
}

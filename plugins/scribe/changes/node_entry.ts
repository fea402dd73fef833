import type { NodeId } from "../../../core/identity/types.ts";
import type { ConfigBody, NodeEntry } from "../../../core/netconfig/types.ts";

const empty: NodeEntry = { name: null, tags: [], meshIp: null, pinnedVia: null };

/** What the config says of a node; nothing, when it says nothing. */
export function entryOf(body: ConfigBody, node: NodeId): NodeEntry {
  return Object.hasOwn(body.nodes, node) ? body.nodes[node] ?? empty : empty;
}

/** The config with a node's entry changed; an entry that says nothing is left out. */
export function withEntry(body: ConfigBody, node: NodeId, change: Partial<NodeEntry>): ConfigBody {
  const entry = { ...entryOf(body, node), ...change };
  const nodes = Object.entries(body.nodes).filter(([id]) => id !== node);
  const says = entry.name !== null || entry.tags.length > 0 || entry.meshIp !== null ||
    entry.pinnedVia !== null;
  if (says) nodes.push([node, entry]);
  nodes.sort(([a], [b]) => a < b ? -1 : 1);
  return { ...body, nodes: Object.fromEntries(nodes) };
}

/** A node in a note: its name where it has one, and enough of its id. */
export function nodeText(body: ConfigBody, node: NodeId): string {
  const { name } = entryOf(body, node);
  return name === null ? node.slice(0, 8) : `${name} (${node.slice(0, 8)})`;
}

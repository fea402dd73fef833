import type { NodeId } from "../identity/types.ts";
import type { ConfigBody } from "../netconfig/mod.ts";

/** Who is meant by a name, and through whom a node is to be reached, as the network config has it. */
export function namesAndPins(
  { nodes }: Pick<ConfigBody, "nodes">,
): { names: Map<string, NodeId>; pins: Map<NodeId, NodeId> } {
  const names = new Map<string, NodeId>();
  const pins = new Map<NodeId, NodeId>();
  for (const [id, { name, pinnedVia }] of Object.entries(nodes)) {
    if (name !== null) names.set(name, id);
    if (pinnedVia !== null) pins.set(id, pinnedVia);
  }
  return { names, pins };
}

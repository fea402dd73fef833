import type { NodeId } from "../identity/types.ts";

/**
 * So many of the paths, which come best first: the best one, then such as share no relay with those chosen before, so that one
 * relay's death leaves another path. Where there are no more of them the best of the rest.
 */
export function diversePaths<P extends { readonly nodes: readonly NodeId[] }>(
  paths: readonly P[],
  count: number,
): readonly P[] {
  const left = [...paths];
  const chosen: P[] = [];
  const relays = new Set<NodeId>();
  while (chosen.length < count && left.length > 0) {
    const apart = left.findIndex(({ nodes }) => !relaysOf(nodes).some((id) => relays.has(id)));
    const [path] = left.splice(Math.max(0, apart), 1);
    chosen.push(path!);
    for (const id of relaysOf(path!.nodes)) relays.add(id);
  }
  return chosen;
}

function relaysOf(nodes: readonly NodeId[]): readonly NodeId[] {
  return nodes.slice(1, -1);
}

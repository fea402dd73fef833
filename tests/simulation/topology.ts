import type { Prng } from "./prng.ts";

/** An undirected link between two nodes, by their numbers. */
export interface Edge {
  readonly a: number;
  readonly b: number;
}

/**
 * A random connected graph: a random tree, then random links until the mean degree is reached. At most one link between two
 * nodes.
 */
export function randomTopology(nodes: number, degree: number, random: Prng): Edge[] {
  const wanted = Math.min(Math.round(nodes * degree / 2), nodes * (nodes - 1) / 2);
  const edges: Edge[] = [];
  const seen = new Set<number>();
  const add = (a: number, b: number) => {
    const key = Math.min(a, b) * nodes + Math.max(a, b);
    if (a === b || seen.has(key)) return;
    seen.add(key);
    edges.push({ a, b });
  };
  for (let i = 1; i < nodes; i++) add(i, random.below(i));
  while (edges.length < wanted) add(random.below(nodes), random.below(nodes));
  return edges;
}

/** Which part each node is in when only these links count. */
export function components(nodes: number, edges: Iterable<Edge>): number[] {
  const parent = Array.from({ length: nodes }, (_, i) => i);
  const root = (i: number): number => {
    while (parent[i] !== i) i = parent[i] = parent[parent[i]!]!;
    return i;
  };
  for (const { a, b } of edges) parent[root(a)] = root(b);
  return parent.map((_, i) => root(i));
}

/** About half of the nodes, chosen so that the half hangs together: the first ones a search from one node reaches. */
export function halfOf(nodes: number, edges: readonly Edge[], start: number): Set<number> {
  const neighbours = Array.from({ length: nodes }, (): number[] => []);
  for (const { a, b } of edges) {
    neighbours[a]!.push(b);
    neighbours[b]!.push(a);
  }
  const half = new Set([start]);
  for (const node of half) {
    for (const next of neighbours[node]!) if (half.size < nodes / 2) half.add(next);
  }
  return half;
}

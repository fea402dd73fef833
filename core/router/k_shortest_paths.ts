import type { Graph } from "./graph.ts";
import { PathFinder } from "./path_finder.ts";

/** Most links of a path: what fits into a source route. */
export const MAX_HOPS = 16;

/** What `kShortestPaths()` may be told besides the two ends. */
export interface KShortestOptions {
  /** How many paths at most. */
  readonly k: number;
  /** @default {16} */
  readonly maxHops?: number;
  /** 1 for each node that must not be visited; not changed. */
  readonly blocked?: Uint8Array;
  /** Reused when several searches go to one destination. */
  readonly finder?: PathFinder;
}

interface Candidate {
  readonly nodes: readonly number[];
  readonly cost: number;
  /** Where it left the path it was derived from. */
  readonly deviation: number;
}

/**
 * The k cheapest simple paths, cheapest first (J. Y. Yen 1971, with Lawler's rule that a path is only varied from where
 * it left its parent on, which makes every candidate new). Deterministic.
 */
export function kShortestPaths(
  graph: Graph,
  source: number,
  destination: number,
  { k, maxHops = MAX_HOPS, blocked, finder = new PathFinder(graph, destination) }: KShortestOptions,
): number[][] {
  const found: Candidate[] = [];
  const waiting: Candidate[] = [];
  const closed = blocked?.slice() ?? new Uint8Array(graph.ids.length);
  const first = finder.find(source, { maxHops, blocked: closed });
  if (first === undefined) return [];
  waiting.push({ nodes: first, cost: pathCost(graph, first), deviation: 0 });
  for (;;) {
    const best = takeCheapest(waiting);
    if (best === undefined) break;
    found.push(best);
    if (found.length >= k) break;
    // The root (nodes before the spur) is closed, so what is found beyond it can never come back to it.
    for (let i = 0; i < best.deviation; i++) closed[best.nodes[i]!] = 1;
    for (let i = best.deviation; i < best.nodes.length - 1; i++) {
      const notNext = new Set<number>();
      for (const { nodes } of found) {
        if (sameRoot(nodes, best.nodes, i)) notNext.add(nodes[i + 1]!);
      }
      const spur = finder.find(best.nodes[i]!, { maxHops: maxHops - i, blocked: closed, notNext });
      if (spur !== undefined) {
        const nodes = [...best.nodes.slice(0, i), ...spur];
        waiting.push({ nodes, cost: pathCost(graph, nodes), deviation: i });
      }
      closed[best.nodes[i]!] = 1;
    }
    for (const node of best.nodes) closed[node] = blocked?.[node] ?? 0;
  }
  return found.map(({ nodes }) => [...nodes]);
}

/** The sum of the link costs; Infinity when two nodes in a row are not linked. */
export function pathCost(graph: Graph, nodes: readonly number[]): number {
  let sum = 0;
  for (let i = 0; i + 1 < nodes.length; i++) {
    const edge = graph.edge(nodes[i]!, nodes[i + 1]!);
    sum += edge < 0 ? Infinity : graph.cost[edge]!;
  }
  return sum;
}

function sameRoot(a: readonly number[], b: readonly number[], last: number): boolean {
  for (let i = 0; i <= last; i++) {
    if (a[i] !== b[i]) return false;
  }
  return a.length > last + 1;
}

function takeCheapest(waiting: Candidate[]): Candidate | undefined {
  let at = -1;
  for (let i = 0; i < waiting.length; i++) {
    if (at < 0 || waiting[i]!.cost < waiting[at]!.cost) at = i;
  }
  return at < 0 ? undefined : waiting.splice(at, 1)[0];
}

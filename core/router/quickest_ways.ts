import type { NodeId } from "../identity/types.ts";
import type { Graph } from "./graph.ts";
import { MinHeap } from "./min_heap.ts";

/** The quickest way to a node, for tables of all nodes. */
export interface QuickestWay {
  readonly hops: number;
  readonly latencyMs: number;
  /** 0..1, of all its links together. */
  readonly loss: number;
}

/**
 * The cheapest way to every node that can be reached, in one search (Dijkstra). A flow may take another one: paths are chosen
 * by their score as a whole, which costs a search for each destination.
 */
export function quickestWays(graph: Graph, from: NodeId): Map<NodeId, QuickestWay> {
  const { ids, offsets, targets, cost, latency, loss } = graph;
  const source = graph.indexOf(from);
  const ways = new Map<NodeId, QuickestWay>();
  if (source < 0) return ways;
  const costs = new Float64Array(ids.length).fill(Infinity);
  const found: (QuickestWay | undefined)[] = new Array<undefined>(ids.length).fill(undefined);
  const heap = new MinHeap();
  costs[source] = 0;
  found[source] = { hops: 0, latencyMs: 0, loss: 0 };
  heap.push(0, source);
  for (let node = heap.pop(); node !== undefined; node = heap.pop()) {
    const way = found[node]!;
    if (ways.has(ids[node]!)) continue;
    ways.set(ids[node]!, way);
    for (let e = offsets[node]!; e < offsets[node + 1]!; e++) {
      const next = targets[e]!;
      const sum = costs[node]! + cost[e]!;
      if (sum >= costs[next]!) continue;
      costs[next] = sum;
      found[next] = {
        hops: way.hops + 1,
        latencyMs: way.latencyMs + latency[e]!,
        loss: 1 - (1 - way.loss) * (1 - loss[e]!),
      };
      heap.push(sum, next);
    }
  }
  ways.delete(from);
  return ways;
}

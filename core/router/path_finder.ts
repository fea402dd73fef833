import type { Graph } from "./graph.ts";
import { MinHeap } from "./min_heap.ts";

/** What a search must stay clear of. */
export interface SearchLimits {
  /** Most links the path may have. */
  readonly maxHops: number;
  /** 1 for each node that must not be visited. */
  readonly blocked: Uint8Array;
  /** Neighbours of the source that must not be the next node. */
  readonly notNext?: ReadonlySet<number>;
}

/**
 * Cheapest paths to one destination, within a number of hops.
 *
 * A* whose estimate is the exact cost on the whole graph (one Dijkstra from the destination): with little blocked, a search
 * walks nearly straight. A node may be settled again by a label with fewer hops: the cheapest way to it may have used up
 * the hops that the rest of the path needs. Labels leave the heap in order of cost, so a later one at the same node is only
 * of use when it has fewer hops, and a destination within the limit is found if there is one.
 */
export class PathFinder {
  readonly #graph: Graph;
  readonly #destination: number;
  readonly #costToGo: Float64Array;
  readonly #hopsToGo: Int32Array;
  readonly #fewestHops: Int32Array;
  // One label per way a node was reached: parallel arrays, reused by every search.
  readonly #node: number[] = [];
  readonly #parent: number[] = [];
  readonly #cost: number[] = [];
  readonly #hops: number[] = [];

  constructor(graph: Graph, destination: number) {
    this.#graph = graph;
    this.#destination = destination;
    this.#costToGo = costsFrom(graph, destination);
    this.#hopsToGo = hopsFrom(graph, destination);
    this.#fewestHops = new Int32Array(graph.ids.length);
  }

  /** Fewest links to the destination; Infinity when there is no way at all. */
  hopsToGo(node: number): number {
    const hops = this.#hopsToGo[node] ?? -1;
    return hops < 0 ? Infinity : hops;
  }

  /** The cheapest path from `source`, both ends included; undefined when the limits leave none. */
  find(source: number, { maxHops, blocked, notNext }: SearchLimits): number[] | undefined {
    const { offsets, targets, cost } = this.#graph;
    this.#node.length =
      this.#parent.length =
      this.#cost.length =
      this.#hops.length =
        0;
    this.#fewestHops.fill(maxHops + 1);
    const heap = new MinHeap();
    if (this.hopsToGo(source) > maxHops) return undefined;
    heap.push(this.#costToGo[source]!, this.#label(source, -1, 0, 0));
    for (let label = heap.pop(); label !== undefined; label = heap.pop()) {
      const node = this.#node[label]!;
      const hops = this.#hops[label]!;
      if (node === this.#destination) return this.#path(label);
      if (hops >= this.#fewestHops[node]!) continue;
      this.#fewestHops[node] = hops;
      for (let e = offsets[node]!; e < offsets[node + 1]!; e++) {
        const next = targets[e]!;
        if (blocked[next] === 1 || hops + 1 >= this.#fewestHops[next]!) continue;
        if (hops + 1 + this.#hopsToGo[next]! > maxHops) continue;
        if (node === source && notNext?.has(next)) continue;
        const total = this.#cost[label]! + cost[e]!;
        heap.push(total + this.#costToGo[next]!, this.#label(next, label, total, hops + 1));
      }
    }
    return undefined;
  }

  #label(node: number, parent: number, cost: number, hops: number): number {
    this.#parent.push(parent);
    this.#cost.push(cost);
    this.#hops.push(hops);
    return this.#node.push(node) - 1;
  }

  #path(label: number): number[] {
    const path: number[] = [];
    for (let at = label; at >= 0; at = this.#parent[at]!) path.push(this.#node[at]!);
    return path.reverse();
  }
}

/** Dijkstra: what it costs to get from every node to `start`; links cost the same both ways. */
function costsFrom({ offsets, targets, cost, ids }: Graph, start: number): Float64Array {
  const costs = new Float64Array(ids.length).fill(Infinity);
  const heap = new MinHeap();
  const settled = new Uint8Array(ids.length);
  costs[start] = 0;
  heap.push(0, start);
  for (let node = heap.pop(); node !== undefined; node = heap.pop()) {
    if (settled[node] === 1) continue;
    settled[node] = 1;
    for (let e = offsets[node]!; e < offsets[node + 1]!; e++) {
      const next = targets[e]!;
      const total = costs[node]! + cost[e]!;
      if (total >= costs[next]!) continue;
      costs[next] = total;
      heap.push(total, next);
    }
  }
  return costs;
}

/** Breadth first: the fewest links from every node to `start`, -1 where there is no way. */
function hopsFrom({ offsets, targets, ids }: Graph, start: number): Int32Array {
  const hops = new Int32Array(ids.length).fill(-1);
  const queue = [start];
  hops[start] = 0;
  for (let at = 0; at < queue.length; at++) {
    const node = queue[at]!;
    for (let e = offsets[node]!; e < offsets[node + 1]!; e++) {
      const next = targets[e]!;
      if (hops[next] !== -1) continue;
      hops[next] = hops[node]! + 1;
      queue.push(next);
    }
  }
  return hops;
}

import type { Graph } from "./graph.ts";
import { kShortestPaths, MAX_HOPS } from "./k_shortest_paths.ts";
import { PathFinder } from "./path_finder.ts";
import { score } from "./score.ts";
import type { Path } from "./types.ts";

/** A path this much worse than the best one gets no flows: it would be chosen less than once in twenty anyway. */
const WORST_RATIO = 20;

/** A direct link that loses no more than this works: traffic leaves it only for a way that is quicker. */
const WORKING_LOSS = 0.05;

/**
 * The paths worth using, best first, at most `k`.
 *
 * The score is not additive (it multiplies latency, loss and hops of the whole path), so it cannot guide a shortest path
 * search: the cheapest paths by the additive cost are enumerated and each is scored whole. The direct link is always among
 * those scored. While it works, relayed paths that are not quicker are left out: a second machine that carries the traffic
 * of two neighbours would gain them nothing. Relayed paths that are quicker stay, weighed against it by their scores.
 */
export function candidates(
  graph: Graph,
  source: number,
  destination: number,
  k: number,
  finder: PathFinder,
): Path[] {
  const found = kShortestPaths(graph, source, destination, { k, finder });
  const direct = graph.edge(source, destination);
  if (direct >= 0 && !found.some((nodes) => nodes.length === 2)) found.push([source, destination]);
  const paths = found.map((nodes) => toPath(graph, nodes));
  if (direct < 0 || graph.loss[direct]! > WORKING_LOSS) return best(paths, k);
  const quickest = graph.latency[direct]!;
  return best(
    paths.filter(({ nodes, latencyMs }) => nodes.length === 2 || latencyMs < quickest),
    k,
  );
}

/**
 * The paths that pass through `via`, best first, at most `k`; `via === destination` means the direct link alone.
 *
 * Each of the k cheapest ways to `via` that stay clear of the destination is continued by the k cheapest ways from there
 * that stay clear of the first part. (Finding the truly cheapest such path is a two-disjoint-paths problem; with all k
 * first parts in the way of every second one, none is found although one may exist.)
 */
export function pinnedCandidates(
  graph: Graph,
  source: number,
  via: number,
  destination: number,
  k: number,
): Path[] {
  if (via === destination) {
    return graph.edge(source, destination) < 0 ? [] : [toPath(graph, [source, destination])];
  }
  const clear = new Uint8Array(graph.ids.length);
  clear[destination] = 1;
  const finder = new PathFinder(graph, destination);
  const found: number[][] = [];
  for (const first of kShortestPaths(graph, source, via, { k, blocked: clear })) {
    const blocked = new Uint8Array(graph.ids.length);
    for (const node of first) blocked[node] = 1;
    const maxHops = MAX_HOPS - (first.length - 1);
    for (const rest of kShortestPaths(graph, via, destination, { k, maxHops, blocked, finder })) {
      found.push([...first, ...rest.slice(1)]);
    }
  }
  return best(found.map((nodes) => toPath(graph, nodes)), k);
}

function best(found: readonly Path[], k: number): Path[] {
  const paths = found.toSorted((a, b) => a.score - b.score);
  const worst = (paths[0]?.score ?? 0) * WORST_RATIO;
  return paths.filter((path, i) => i < k && path.score <= worst);
}

/** Adds up and scores a whole path. */
export function toPath(graph: Graph, nodes: readonly number[]): Path {
  let latencyMs = 0;
  let delivered = 1;
  for (let i = 0; i + 1 < nodes.length; i++) {
    const edge = graph.edge(nodes[i]!, nodes[i + 1]!);
    latencyMs += graph.latency[edge]!;
    delivered *= 1 - graph.loss[edge]!;
  }
  const loss = 1 - delivered;
  return {
    nodes: nodes.map((node) => graph.ids[node]!),
    latencyMs,
    loss,
    score: score(latencyMs, loss, nodes.length - 2),
  };
}

import type { NodeId } from "../identity/types.ts";
import { effectiveLatency, effectiveLoss, UNMEASURED_MS } from "./score.ts";
import type { GraphLink } from "./types.ts";

/** What a link costs beyond its latency, so that among equally quick ways the one with fewer links wins. */
const HOP_COST_MS = 1;

/** What a graph is built from besides the reports. */
export interface GraphOptions {
  readonly self: NodeId;
  /** Peers with a session right now: the only links `self` has, whatever the reports say. */
  readonly live: ReadonlySet<NodeId>;
  /** Nodes that do not exist for routing. */
  readonly revoked?: ReadonlySet<NodeId>;
  /** Links to leave out, see `linkKey()`. */
  readonly withoutLinks?: ReadonlySet<string>;
  /** Nodes to leave out. */
  readonly withoutNodes?: ReadonlySet<NodeId>;
}

/** The name of an undirected link: the same from both ends. */
export function linkKey(a: NodeId, b: NodeId): string {
  return a < b ? `${a} ${b}` : `${b} ${a}`;
}

/**
 * The believed links as an undirected graph over small integers (compressed adjacency lists).
 *
 * A link is believed when both ends report it; it costs the worse of the two views, so a node can make itself look
 * worse but never better than its neighbours see it. The own links are the live sessions, known at first hand: they
 * count as soon as the session is up, unmeasured until this node has measured them.
 */
export class Graph {
  readonly ids: readonly NodeId[];
  /** The links of node `n` are `targets[offsets[n]] .. targets[offsets[n + 1] - 1]`. */
  readonly offsets: Int32Array;
  readonly targets: Int32Array;
  readonly latency: Float64Array;
  readonly loss: Float64Array;
  /** `latency * (1 + 5 * loss) + 1 ms`: additive and strictly positive, as a shortest path search needs it. */
  readonly cost: Float64Array;
  readonly #index: ReadonlyMap<NodeId, number>;

  /** @param reports directed views; repeats of one view count as the worse of them */
  constructor(reports: Iterable<GraphLink>, options: GraphOptions) {
    const index = new Map<NodeId, number>();
    const ids: NodeId[] = [];
    const indexOf = (id: NodeId): number => {
      let n = index.get(id);
      if (n === undefined) {
        n = ids.length;
        index.set(id, n);
        ids.push(id);
      }
      return n;
    };
    this.ids = ids;
    this.#index = index;
    const links = believedLinks(reports, options, indexOf);
    const degree = new Int32Array(ids.length + 1);
    for (const link of links) {
      degree[link.low]! += 1;
      degree[link.high]! += 1;
    }
    this.offsets = new Int32Array(ids.length + 1);
    for (let n = 0; n < ids.length; n++) this.offsets[n + 1] = this.offsets[n]! + degree[n]!;
    const size = links.length * 2;
    this.targets = new Int32Array(size);
    this.latency = new Float64Array(size);
    this.loss = new Float64Array(size);
    this.cost = new Float64Array(size);
    const next = this.offsets.slice();
    for (const link of links) {
      this.#put(next[link.low]!++, link.high, link);
      this.#put(next[link.high]!++, link.low, link);
    }
  }

  #put(at: number, target: number, { latencyMs, loss }: BelievedLink): void {
    this.targets[at] = target;
    this.latency[at] = latencyMs;
    this.loss[at] = loss;
    this.cost[at] = latencyMs * (1 + 5 * loss) + HOP_COST_MS;
  }

  /** -1 when no report names the node. */
  indexOf(id: NodeId): number {
    return this.#index.get(id) ?? -1;
  }

  /** How many believed links the node has. */
  degree(node: number): number {
    return node < 0 ? 0 : this.offsets[node + 1]! - this.offsets[node]!;
  }

  /** Where the link `a -> b` stands in `targets`, -1 when there is none. */
  edge(a: number, b: number): number {
    for (let e = this.offsets[a]!; e < this.offsets[a + 1]!; e++) {
      if (this.targets[e] === b) return e;
    }
    return -1;
  }
}

interface BelievedLink {
  readonly low: number;
  readonly high: number;
  readonly latencyMs: number;
  readonly loss: number;
}

/** Both ends' views of one link, folded as they come. */
interface Views {
  readonly low: number;
  readonly high: number;
  latencyMs: number;
  loss: number;
  fromLow: boolean;
  fromHigh: boolean;
}

function believedLinks(
  reports: Iterable<GraphLink>,
  { self, live, revoked, withoutLinks, withoutNodes }: GraphOptions,
  indexOf: (id: NodeId) => number,
): BelievedLink[] {
  const excluded = (id: NodeId) => revoked?.has(id) === true || withoutNodes?.has(id) === true;
  const own = indexOf(self);
  // Pairs as one number: exact below 2^53, that is, for up to 2^26 nodes.
  const views = new Map<number, Views>();
  const viewsOf = (a: number, b: number): Views => {
    const low = Math.min(a, b);
    const high = Math.max(a, b);
    const key = low * 2 ** 26 + high;
    let pair = views.get(key);
    if (pair === undefined) {
      pair = { low, high, latencyMs: 0, loss: 0, fromLow: false, fromHigh: false };
      views.set(key, pair);
    }
    return pair;
  };
  for (const { from, to, latencyMs, loss } of reports) {
    const a = indexOf(from);
    const b = indexOf(to);
    if (a === b || excluded(from) || excluded(to)) continue;
    if ((a === own && !live.has(to)) || (b === own && !live.has(from))) continue;
    if (withoutLinks?.has(linkKey(from, to))) continue;
    const pair = viewsOf(a, b);
    pair.latencyMs = Math.max(pair.latencyMs, effectiveLatency(latencyMs));
    pair.loss = Math.max(pair.loss, effectiveLoss(loss));
    if (a === pair.low) pair.fromLow = true;
    else pair.fromHigh = true;
  }
  for (const id of live) {
    if (id === self || excluded(id) || withoutLinks?.has(linkKey(self, id))) continue;
    const pair = viewsOf(own, indexOf(id));
    const measuredHere = own === pair.low ? pair.fromLow : pair.fromHigh;
    if (!measuredHere) pair.latencyMs = Math.max(pair.latencyMs, UNMEASURED_MS);
    pair.fromLow = pair.fromHigh = true;
  }
  return [...views.values()].filter((pair) => pair.fromLow && pair.fromHigh);
}

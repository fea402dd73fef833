import type { NodeId } from "../identity/types.ts";
import { candidates, pinnedCandidates } from "./candidates.ts";
import { Graph, linkKey } from "./graph.ts";
import { MAX_HOPS } from "./k_shortest_paths.ts";
import { type NoPath, noPath } from "./no_path.ts";
import { PathFinder } from "./path_finder.ts";
import { type QuickestWay, quickestWays } from "./quickest_ways.ts";
import type { GraphLink, Path } from "./types.ts";

/** What a router is made of. */
export interface RouterOptions {
  readonly self: NodeId;
  /** Uniform in [0, 1): decides which of several paths a new flow takes. */
  readonly random: () => number;
  /**
   * Most paths per destination, 1 to 16.
   * @default {4}
   */
  readonly k?: number;
}

/** What a flow has just seen failing and its next path must not use. */
export interface Avoid {
  /** Relays; the two ends of the path are exempt. */
  readonly nodes?: ReadonlySet<NodeId>;
  /** Links by their two ends, in either order. */
  readonly links?: readonly (readonly [NodeId, NodeId])[];
}

/** The viable paths, best first, at least one. */
export interface Paths {
  readonly paths: readonly Path[];
}

/** Paths to draw from. */
interface Weighed extends Paths {
  /** Sums of 1/score, for the choice by weight. */
  readonly cumulative: readonly number[];
}

/** What is remembered per destination until anything changes. */
interface Entry {
  readonly answer: Paths | NoPath;
  /** As in `Weighed`; empty where there is no path. */
  readonly cumulative: readonly number[];
}

const nobody: ReadonlySet<NodeId> = new Set();

/**
 * Computes paths at the source, over the links that both ends report. Pure: no sockets, no timers, no clock.
 *
 * Paths are simple and at most 16 links long, so forwarding along one can never loop; the first link is always a live
 * session. Flows are spread over the viable paths with probability proportional to 1/score; relays are viable beside a
 * working direct link only where they are quicker than it.
 */
export class Router {
  readonly #self: NodeId;
  readonly #random: () => number;
  readonly #k: number;
  #links: readonly GraphLink[] = [];
  #version: number | undefined;
  #known: ReadonlySet<NodeId> = nobody;
  #live: ReadonlySet<NodeId> = nobody;
  #pins: ReadonlyMap<NodeId, NodeId> = new Map();
  #revoked: ReadonlySet<NodeId> = nobody;
  #graph: Graph | undefined;
  readonly #cache = new Map<NodeId, Entry>();

  /** @throws {RangeError} k is not 1 to 16 */
  constructor({ self, random, k = 4 }: RouterOptions) {
    if (!Number.isInteger(k) || k < 1 || k > 16) throw new RangeError(`k is ${k}, not 1 to 16`);
    this.#self = self;
    this.#random = random;
    this.#k = k;
  }

  /**
   * The links as the records report them; the same version again changes nothing.
   *
   * @param known nodes that have a record, also those without links: only the words of a refusal depend on it
   */
  setTopology(links: Iterable<GraphLink>, version: number, known: Iterable<NodeId> = []): void {
    if (version === this.#version) return;
    this.#links = [...links];
    this.#known = new Set(known);
    this.#version = version;
    this.#forget();
  }

  /** The peers this node has a session with. They can be used at once, before any report of the link has arrived. */
  setLiveNeighbours(ids: Iterable<NodeId>): void {
    const live = new Set(ids);
    if (same(live, this.#live)) return;
    this.#live = live;
    this.#forget();
  }

  /**
   * Destination -> a node that every path to it passes through; the destination itself for "direct or not at all". A pin
   * is an order: while it cannot be met there is no path. It does not concern the node that is `via` itself.
   */
  setPins(pins: ReadonlyMap<NodeId, NodeId>): void {
    this.#pins = new Map(pins);
    this.#forget();
  }

  /** Revoked nodes are neither destinations nor relays. */
  setRevoked(ids: Iterable<NodeId>): void {
    const revoked = new Set(ids);
    if (same(revoked, this.#revoked)) return;
    this.#revoked = revoked;
    this.#forget();
  }

  /** The viable paths to a node, best first, or why there is none. The answer is shared: it changes with the topology. */
  paths(destination: NodeId): Paths | NoPath {
    return this.#entry(destination).answer;
  }

  /**
   * A path for a new flow, drawn with probability proportional to 1/score; the flow keeps it until it fails.
   *
   * @param avoid what has just failed; other paths are looked for beyond the usual k, which costs as much as a change of
   * topology, so callers limit how often a flow tries again
   */
  choose(destination: NodeId, avoid?: Avoid): Path | NoPath {
    const viable = this.#viable(destination, avoid);
    return "reason" in viable ? viable : this.#draw(viable);
  }

  /** The best path, for what is rare and small and only has to arrive: a join, a renewal. @param avoid as for `choose()` */
  best(destination: NodeId, avoid?: Avoid): Path | NoPath {
    const viable = this.#viable(destination, avoid);
    return "reason" in viable ? viable : viable.paths[0]!;
  }

  /** The quickest way to every node that can be reached; pins are not looked at. */
  ways(): Map<NodeId, QuickestWay> {
    this.#graph ??= this.#buildGraph();
    return quickestWays(this.#graph, this.#self);
  }

  #viable(destination: NodeId, avoid: Avoid | undefined): Weighed | NoPath {
    const { answer, cumulative } = this.#entry(destination);
    if ("reason" in answer) return answer;
    if (avoid === undefined) return { paths: answer.paths, cumulative };
    const links = new Set(avoid.links?.map(([a, b]) => linkKey(a, b)));
    const nodes = avoid.nodes ?? nobody;
    const left = answer.paths.filter((path) => !touches(path, links, nodes));
    if (left.length > 0) return { paths: left, cumulative: cumulate(left) };
    const relays = new Set(nodes);
    relays.delete(this.#self);
    relays.delete(destination);
    const other = this.#compute(destination, this.#buildGraph(links, relays));
    return "reason" in other
      ? noPath.avoided(destination)
      : { paths: other.paths, cumulative: cumulate(other.paths) };
  }

  #draw({ paths, cumulative }: Weighed): Path {
    const last = paths.length - 1;
    const drawn = this.#random() * cumulative[last]!;
    let at = 0;
    while (at < last && drawn >= cumulative[at]!) at++;
    return paths[at]!;
  }

  #entry(destination: NodeId): Entry {
    const remembered = this.#cache.get(destination);
    if (remembered !== undefined) return remembered;
    this.#graph ??= this.#buildGraph();
    const answer = this.#compute(destination, this.#graph);
    const entry = { answer, cumulative: "reason" in answer ? [] : cumulate(answer.paths) };
    // Only nodes of the graph are remembered: made-up destinations must not fill the memory.
    if (this.#graph.indexOf(destination) >= 0) this.#cache.set(destination, entry);
    return entry;
  }

  #compute(destination: NodeId, graph: Graph): Paths | NoPath {
    if (destination === this.#self) return noPath.self(destination);
    if (this.#revoked.has(destination)) return noPath.revoked(destination);
    const source = graph.indexOf(this.#self);
    const target = graph.indexOf(destination);
    if (target < 0 && !this.#known.has(destination)) return noPath.unknown(destination);
    if (graph.degree(source) === 0) return noPath.isolated(destination);
    if (graph.degree(target) === 0) return noPath.unlinked(destination);
    const finder = new PathFinder(graph, target);
    const distance = finder.hopsToGo(source);
    if (distance === Infinity) return noPath.unreachable(destination);
    if (distance > MAX_HOPS) return noPath.tooFar(destination, distance, MAX_HOPS);
    const via = this.#pins.get(destination);
    if (via !== undefined && via !== this.#self) return this.#pinned(graph, target, via);
    return { paths: candidates(graph, source, target, this.#k, finder) };
  }

  #pinned(graph: Graph, target: number, via: NodeId): Paths | NoPath {
    const destination = graph.ids[target]!;
    const middle = graph.indexOf(via);
    if (this.#revoked.has(via)) return noPath.pin(destination, via, "which is revoked");
    if (graph.degree(middle) === 0) return noPath.pin(destination, via, "which has no links");
    const source = graph.indexOf(this.#self);
    const paths = pinnedCandidates(graph, source, middle, target, this.#k);
    if (paths.length > 0) return { paths };
    const why = via === destination
      ? "to which there is no direct link"
      : "through which no path leads there";
    return noPath.pin(destination, via, why);
  }

  #buildGraph(withoutLinks?: ReadonlySet<string>, withoutNodes?: ReadonlySet<NodeId>): Graph {
    return new Graph(this.#links, {
      self: this.#self,
      live: this.#live,
      revoked: this.#revoked,
      ...(withoutLinks?.size ? { withoutLinks } : {}),
      ...(withoutNodes?.size ? { withoutNodes } : {}),
    });
  }

  #forget(): void {
    this.#graph = undefined;
    this.#cache.clear();
  }
}

function same(a: ReadonlySet<NodeId>, b: ReadonlySet<NodeId>): boolean {
  return a.size === b.size && a.isSubsetOf(b);
}

function cumulate(paths: readonly Path[]): number[] {
  let sum = 0;
  return paths.map((path) => sum += 1 / path.score);
}

function touches(
  { nodes }: Path,
  links: ReadonlySet<string>,
  relays: ReadonlySet<NodeId>,
): boolean {
  for (let i = 0; i + 1 < nodes.length; i++) {
    if (i > 0 && relays.has(nodes[i]!)) return true;
    if (links.size > 0 && links.has(linkKey(nodes[i]!, nodes[i + 1]!))) return true;
  }
  return false;
}

import fc from "fast-check";
import type { NodeId } from "../identity/types.ts";
import { Graph } from "./graph.ts";
import type { GraphLink } from "./types.ts";

/** Seeded numbers in [0, 1) (mulberry32), so that statistics in tests are the same every time. */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** A link both ends report alike. */
export function link(a: NodeId, b: NodeId, latencyMs: number, loss = 0): GraphLink[] {
  return [{ from: a, to: b, latencyMs, loss }, { from: b, to: a, latencyMs, loss }];
}

/** A node's name in random graphs. */
export function name(n: number): NodeId {
  return `n${n}`;
}

/** A random mesh: undirected links, each also possibly reported by one end only. */
export interface RandomMesh {
  readonly size: number;
  readonly reports: readonly GraphLink[];
}

/** Meshes of 2 to `maxSize` nodes named n0, n1, ... */
export function randomMesh(maxSize: number): fc.Arbitrary<RandomMesh> {
  return fc.integer({ min: 2, max: maxSize }).chain((size) => {
    const node = fc.nat(size - 1).map(name);
    const report = fc.record({
      a: node,
      b: node,
      latencyMs: fc.oneof(fc.integer({ min: 1, max: 100 }), fc.constantFrom(0, NaN)),
      loss: fc.constantFrom(0, 0, 0.1, 0.5),
      views: fc.constantFrom("both", "both", "both", "one"),
    });
    return fc.array(report, { minLength: size * 2, maxLength: size * 4, size: "max" }).map((
      list,
    ) => ({
      size,
      reports: list.flatMap(({ a, b, latencyMs, loss, views }) =>
        link(a, b, latencyMs, loss).slice(0, views === "both" ? 2 : 1)
      ),
    }));
  });
}

/** Everything the first node reports a link to, as if each of those sessions were up. */
export function reportedNeighbours(self: NodeId, reports: Iterable<GraphLink>): Set<NodeId> {
  const live = new Set<NodeId>();
  for (const { from, to } of reports) if (from === self && to !== self) live.add(to);
  return live;
}

/** The graph as n0 sees it. */
export function graphOf(reports: readonly GraphLink[]): Graph {
  return new Graph(reports, { self: name(0), live: reportedNeighbours(name(0), reports) });
}

/** `size` nodes in a ring with random chords, about `degree` links each, both ends reporting. */
export function largeMesh(size: number, degree: number, random: () => number): GraphLink[] {
  const reports: GraphLink[] = [];
  for (let n = 0; n < size; n++) {
    reports.push(...link(name(n), name((n + 1) % size), 1 + random() * 50));
    for (let i = 0; i < (degree - 2) / 2; i++) {
      const other = Math.floor(random() * size);
      if (other !== n) {
        reports.push(...link(name(n), name(other), 1 + random() * 50, random() / 20));
      }
    }
  }
  return reports;
}

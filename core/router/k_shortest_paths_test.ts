import assert from "node:assert/strict";
import fc from "fast-check";
import type { Graph } from "./graph.ts";
import { kShortestPaths, pathCost } from "./k_shortest_paths.ts";
import { graphOf, link, name, randomMesh } from "./testing.ts";

/** All simple paths by exhaustive search. */
function allPaths(graph: Graph, source: number, destination: number, maxHops: number): number[][] {
  const paths: number[][] = [];
  const walk = (path: number[]) => {
    const node = path.at(-1)!;
    if (node === destination) return void paths.push(path);
    if (path.length > maxHops) return;
    for (let e = graph.offsets[node]!; e < graph.offsets[node + 1]!; e++) {
      if (!path.includes(graph.targets[e]!)) walk([...path, graph.targets[e]!]);
    }
  };
  walk([source]);
  return paths.sort((a, b) => pathCost(graph, a) - pathCost(graph, b));
}

Deno.test("the k cheapest paths are those of an exhaustive search, within every hop limit", () => {
  const k = fc.integer({ min: 1, max: 8 });
  fc.assert(
    fc.property(randomMesh(7), k, fc.integer({ min: 1, max: 6 }), ({ reports }, k, maxHops) => {
      const graph = graphOf(reports);
      const source = graph.indexOf(name(0));
      const destination = graph.indexOf(name(1));
      fc.pre(destination >= 0);
      const found = kShortestPaths(graph, source, destination, { k, maxHops });
      const expected = allPaths(graph, source, destination, maxHops).slice(0, k);
      assert.equal(found.length, expected.length);
      found.forEach((path, i) => {
        const difference = pathCost(graph, path) - pathCost(graph, expected[i]!);
        assert.ok(Math.abs(difference) < 1e-6, `${path} is not as cheap as ${expected[i]}`);
      });
    }),
    { numRuns: 1000 },
  );
});

Deno.test("paths are different, visit no node twice and follow links", () => {
  fc.assert(fc.property(randomMesh(20), ({ reports }) => {
    const graph = graphOf(reports);
    const destination = graph.indexOf(name(1));
    fc.pre(destination >= 0);
    const paths = kShortestPaths(graph, graph.indexOf(name(0)), destination, { k: 10 });
    assert.equal(new Set(paths.map(String)).size, paths.length);
    for (const path of paths) {
      assert.equal(new Set(path).size, path.length);
      assert.ok(path.length <= 17);
      assert.ok(Number.isFinite(pathCost(graph, path)));
    }
  }));
});

Deno.test("blocked nodes are never visited", () => {
  fc.assert(fc.property(randomMesh(10), fc.infiniteStream(fc.boolean()), ({ reports }, coin) => {
    const graph = graphOf(reports);
    const destination = graph.indexOf(name(1));
    fc.pre(destination >= 0);
    const blocked = Uint8Array.from(graph.ids, (id) => id !== "n1" && coin.next().value ? 1 : 0);
    const before = blocked.slice();
    const source = graph.indexOf(name(0));
    for (const path of kShortestPaths(graph, source, destination, { k: 5, blocked })) {
      assert.ok(path.slice(1).every((node) => blocked[node] === 0));
    }
    assert.deepEqual(blocked, before);
  }));
});

Deno.test("a dearer way with fewer hops is found when the cheapest has too many", () => {
  const cheapButLong = Array.from({ length: 17 }, (_, i) => link(name(i), name(i + 1), 1)).flat();
  const reports = [...cheapButLong, ...link(name(3), name(17), 90)];
  const graph = graphOf(reports);
  const paths = kShortestPaths(graph, graph.indexOf("n0"), graph.indexOf("n17"), { k: 3 });
  assert.deepEqual(paths.map((path) => path.map((n) => graph.ids[n])), [[
    "n0",
    "n1",
    "n2",
    "n3",
    "n17",
  ]]);
});

Deno.test("there is no path across a gap", () => {
  const graph = graphOf([...link("n0", "n2", 1), ...link("n3", "n1", 1)]);
  assert.deepEqual(kShortestPaths(graph, graph.indexOf("n0"), graph.indexOf("n1"), { k: 4 }), []);
});

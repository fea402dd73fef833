import assert from "node:assert/strict";
import fc from "fast-check";
import { Graph, linkKey } from "./graph.ts";
import { link, randomMesh, reportedNeighbours } from "./testing.ts";
import type { GraphLink } from "./types.ts";

function costs(graph: Graph, a: string, b: string) {
  const edge = graph.edge(graph.indexOf(a), graph.indexOf(b));
  return edge < 0 ? undefined : { latency: graph.latency[edge], loss: graph.loss[edge] };
}

Deno.test("a link that one end alone reports is not believed", () => {
  const oneSided: GraphLink[] = [{ from: "b", to: "c", latencyMs: 1, loss: 0 }];
  const graph = new Graph([...link("a", "b", 1), ...oneSided], {
    self: "a",
    live: new Set(["b"]),
  });
  assert.equal(costs(graph, "b", "c"), undefined);
  assert.equal(graph.degree(graph.indexOf("c")), 0);
});

Deno.test("a link costs the worse of both views, so nobody can flatter its own links", () => {
  const graph = new Graph([
    { from: "b", to: "c", latencyMs: 1, loss: 0.3 },
    { from: "c", to: "b", latencyMs: 80, loss: 0.1 },
  ], { self: "a", live: new Set() });
  assert.deepEqual(costs(graph, "b", "c"), { latency: 80, loss: 0.3 });
  assert.deepEqual(costs(graph, "c", "b"), { latency: 80, loss: 0.3 });
});

Deno.test("repeated reports of one end do not make up for the other end's silence", () => {
  const report = { from: "b", to: "c", latencyMs: 1, loss: 0 };
  const graph = new Graph([report, report], { self: "a", live: new Set() });
  assert.equal(costs(graph, "b", "c"), undefined);
});

Deno.test("an own link exists exactly while its session is up", () => {
  const reports = [...link("a", "b", 5), ...link("a", "c", 5)];
  const graph = new Graph(reports, { self: "a", live: new Set(["c", "d"]) });
  assert.equal(costs(graph, "a", "b"), undefined);
  assert.deepEqual(costs(graph, "a", "c"), { latency: 5, loss: 0 });
  assert.deepEqual(costs(graph, "a", "d"), { latency: 500, loss: 0 });
});

Deno.test("an own link counts as unmeasured until this node has measured it", () => {
  const graph = new Graph([{ from: "b", to: "a", latencyMs: 1, loss: 0 }], {
    self: "a",
    live: new Set(["b"]),
  });
  assert.deepEqual(costs(graph, "a", "b"), { latency: 500, loss: 0 });
});

Deno.test("revoked and excluded nodes and excluded links have no part in the graph", () => {
  const reports = [...link("b", "c", 1), ...link("b", "d", 1), ...link("b", "e", 1)];
  const graph = new Graph(reports, {
    self: "a",
    live: new Set(["b", "x"]),
    revoked: new Set(["c", "x"]),
    withoutNodes: new Set(["d"]),
    withoutLinks: new Set([linkKey("e", "b")]),
  });
  for (const other of ["c", "d", "e"]) assert.equal(costs(graph, "b", other), undefined, other);
  assert.equal(costs(graph, "a", "x"), undefined);
});

Deno.test("a node that reports a link to itself has none", () => {
  const graph = new Graph(link("b", "b", 1), { self: "a", live: new Set(["a"]) });
  assert.equal(graph.degree(graph.indexOf("b")), 0);
  assert.equal(graph.degree(graph.indexOf("a")), 0);
});

Deno.test("whatever is reported, links are symmetric, finite and positive, and none is one-sided", () => {
  fc.assert(fc.property(randomMesh(12), ({ reports }) => {
    const live = reportedNeighbours("n0", reports);
    const graph = new Graph(reports, { self: "n0", live });
    const said = new Set(reports.map(({ from, to }) => `${from} ${to}`));
    graph.ids.forEach((a, from) => {
      for (let e = graph.offsets[from]!; e < graph.offsets[from + 1]!; e++) {
        const b = graph.ids[graph.targets[e]!]!;
        const back = graph.edge(graph.targets[e]!, from);
        assert.ok(back >= 0 && graph.cost[back] === graph.cost[e]);
        assert.ok(graph.cost[e]! > 0 && Number.isFinite(graph.cost[e]));
        const own = a === "n0" ? live.has(b) : b === "n0" && live.has(a);
        assert.ok(own || (said.has(`${a} ${b}`) && said.has(`${b} ${a}`)), `${a} ${b}`);
      }
    });
  }));
});

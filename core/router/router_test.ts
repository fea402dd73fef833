import assert from "node:assert/strict";
import fc from "fast-check";
import { graphOf, link, name, randomMesh, reportedNeighbours, seededRandom } from "./testing.ts";
import { isNoPath } from "./no_path.ts";
import { type Avoid, Router } from "./router.ts";
import type { GraphLink, NoPathReason, Path } from "./types.ts";

function routerOf(reports: Iterable<GraphLink>, live?: Iterable<string>, seed = 1): Router {
  const all = [...reports];
  const router = new Router({ self: "n0", random: seededRandom(seed) });
  router.setTopology(all, 1);
  router.setLiveNeighbours(live ?? reportedNeighbours("n0", all));
  return router;
}

function pathsOf(router: Router, destination: string): readonly Path[] {
  const answer = router.paths(destination);
  assert.ok(!("reason" in answer), JSON.stringify(answer));
  return answer.paths;
}

function chosen(router: Router, ...args: Parameters<Router["choose"]>): Path {
  const path = router.choose(...args);
  assert.ok(!isNoPath(path), JSON.stringify(path));
  return path;
}

function bestOf(router: Router, ...args: Parameters<Router["best"]>): readonly string[] {
  const path = router.best(...args);
  assert.ok(!isNoPath(path), JSON.stringify(path));
  return path.nodes;
}

function reasonOf(router: Router, destination: string): NoPathReason {
  const answer = router.choose(destination);
  assert.ok(isNoPath(answer), JSON.stringify(answer));
  assert.ok(answer.detail.length > 10, "the reason is also given in words");
  return answer.reason;
}

function share(router: Router, destination: string, wanted: (path: Path) => boolean): number {
  const flows = 20_000;
  let hits = 0;
  for (let i = 0; i < flows; i++) if (wanted(chosen(router, destination))) hits++;
  return hits / flows;
}

Deno.test("every path is simple, at most 16 links long, over live and confirmed links alone", () => {
  fc.assert(
    fc.property(
      randomMesh(24),
      fc.infiniteStream(fc.boolean()),
      fc.nat(),
      ({ size, reports }, coin, seed) => {
        const live = new Set(
          [...reportedNeighbours("n0", reports)].filter(() => coin.next().value),
        );
        const router = routerOf(reports, live, seed);
        const said = new Set(reports.map(({ from, to }) => `${from} ${to}`));
        for (let n = 1; n < size; n++) {
          const answer = router.paths(name(n));
          if ("reason" in answer) continue;
          assert.ok(answer.paths.length >= 1 && answer.paths.length <= 4);
          for (const { nodes, score, latencyMs, loss } of answer.paths) {
            assert.equal(new Set(nodes).size, nodes.length, "a repeat");
            assert.ok(nodes.length >= 2 && nodes.length <= 17);
            assert.equal(nodes[0], "n0");
            assert.equal(nodes.at(-1), name(n));
            assert.ok(live.has(nodes[1]!), "the first hop is not live");
            for (let i = 1; i + 1 < nodes.length; i++) {
              assert.ok(said.has(`${nodes[i]} ${nodes[i + 1]}`), "reported by one end only");
              assert.ok(said.has(`${nodes[i + 1]} ${nodes[i]}`), "reported by one end only");
            }
            assert.ok(score > 0 && latencyMs > 0 && loss >= 0 && loss <= 1);
          }
        }
      },
    ),
    { numRuns: 300 },
  );
});

Deno.test("forwarding along chosen paths ends at the destination whoever forwards", () => {
  fc.assert(fc.property(randomMesh(10), fc.nat(), ({ size, reports }, seed) => {
    const graph = graphOf(reports);
    const router = routerOf(reports, undefined, seed);
    for (let n = 1; n < size; n++) {
      const path = router.choose(name(n));
      if (isNoPath(path)) continue;
      const visited = new Set<string>();
      for (const node of path.nodes) {
        assert.ok(!visited.has(node), "forwarded twice by one node");
        visited.add(node);
      }
      assert.ok(graph.indexOf(path.nodes.at(-1)!) >= 0);
    }
  }));
});

Deno.test("a destination that has gone is refused, not sent round its neighbours' neighbours", () => {
  // Two nodes that both still know the third one: forwarding by table, without a path, is endless here.
  const router = routerOf([
    ...link("n0", "n1", 1),
    { from: "n2", to: "n1", latencyMs: 1, loss: 0 },
    { from: "n2", to: "n0", latencyMs: 1, loss: 0 },
  ], ["n1"]);
  assert.equal(reasonOf(router, "n2"), "no-links");
});

Deno.test("with ten equal neighbours every flow to one of them takes the direct link", () => {
  const names = Array.from({ length: 11 }, (_, i) => name(i));
  const mesh = names.flatMap((a, i) => names.slice(i + 1).flatMap((b) => link(a, b, 10)));
  const router = routerOf(mesh);
  assert.deepEqual(pathsOf(router, "n5").map(({ nodes }) => nodes), [["n0", "n5"]]);
});

Deno.test("beside a working direct link a relay is used only where it is quicker", () => {
  const via = (relay: string, ms: number) => [
    ...link("n0", relay, ms / 2),
    ...link(relay, "n9", ms / 2),
  ];
  const relays = [...via("n1", 12), ...via("n2", 30), ...via("n3", 29)];
  const direct = (loss: number) => [...relays, ...link("n0", "n9", 30, loss)];
  const router = routerOf(direct(0.05));
  const used = pathsOf(router, "n9").map(({ nodes }) => nodes.slice(1, -1).join());
  assert.deepEqual(used, ["n1", "", "n3"], "the slower and the equal one are left out");
  const weights = pathsOf(router, "n9").map(({ score }) => 1 / score);
  const expected = weights[0]! / weights.reduce((sum, weight) => sum + weight);
  const quick = share(router, "n9", ({ nodes }) => nodes[1] === "n1");
  assert.ok(Math.abs(quick - expected) < 0.02, `${quick} for ${expected}`);
  router.setTopology(direct(0.06), 2);
  assert.equal(pathsOf(router, "n9").length, 4, "a lossy direct link is one path among others");
});

Deno.test("when the direct link fails, the relays it kept out are there at once", () => {
  const mesh = [...link("n0", "n2", 1), ...link("n0", "n1", 9), ...link("n1", "n2", 9)];
  const router = routerOf(mesh);
  assert.equal(pathsOf(router, "n2").length, 1);
  assert.deepEqual(chosen(router, "n2", { links: [["n0", "n2"]] }).nodes, ["n0", "n1", "n2"]);
  router.setLiveNeighbours(["n1"]);
  assert.deepEqual(chosen(router, "n2").nodes, ["n0", "n1", "n2"]);
});

Deno.test("the best path is always the same one, and avoids what failed", () => {
  const router = routerOf([
    ...link("n0", "n1", 4),
    ...link("n1", "n9", 4),
    ...link("n0", "n2", 5),
    ...link("n2", "n9", 5),
  ]);
  for (let i = 0; i < 50; i++) assert.deepEqual(bestOf(router, "n9"), ["n0", "n1", "n9"]);
  assert.deepEqual(bestOf(router, "n9", { links: [["n9", "n1"]] }), ["n0", "n2", "n9"]);
  const none = router.best("nobody");
  assert.ok(isNoPath(none) && none.reason === "unknown-node");
});

Deno.test("a 5 ms path takes ten times as many flows as a 50 ms one", () => {
  const router = routerOf([
    ...link("n0", "n1", 2.5),
    ...link("n1", "n3", 2.5),
    ...link("n0", "n2", 25),
    ...link("n2", "n3", 25),
  ]);
  const quick = share(router, "n3", ({ latencyMs }) => latencyMs === 5);
  assert.ok(Math.abs(quick - 10 / 11) < 0.01, `${quick}`);
});

Deno.test("the choice follows 1/score for any weights", () => {
  const latency = fc.integer({ min: 10, max: 90 });
  fc.assert(
    fc.property(latency, latency, latency, fc.nat(), (a, b, c, seed) => {
      const router = routerOf(
        [a, b, c].flatMap((ms, i) => [
          ...link("n0", name(i + 1), ms / 2),
          ...link(name(i + 1), "n9", ms / 2),
        ]),
        undefined,
        seed,
      );
      const paths = pathsOf(router, "n9");
      const sum = paths.reduce((total, { score }) => total + 1 / score, 0);
      for (const path of paths) {
        const expected = 1 / path.score / sum;
        const seen = share(router, "n9", (drawn) => drawn === path);
        assert.ok(Math.abs(seen - expected) < 0.02, `${seen} for ${expected}`);
      }
    }),
    { numRuns: 10 },
  );
});

Deno.test("a path more than twenty times worse than the best one is not used", () => {
  const router = routerOf([
    ...link("n0", "n1", 1),
    ...link("n0", "n2", 10),
    ...link("n2", "n1", 10),
  ]);
  assert.equal(pathsOf(router, "n1").length, 1);
});

Deno.test("the direct link is a candidate even when several detours are cheaper to enumerate", () => {
  const detours = [1, 2, 3, 4, 5].flatMap((i) => [
    ...link("n0", `a${i}`, 7),
    ...link(`a${i}`, `b${i}`, 7),
    ...link(`b${i}`, "n9", 7),
  ]);
  const router = routerOf([...detours, ...link("n0", "n9", 30)]);
  const paths = pathsOf(router, "n9");
  assert.deepEqual(paths[0]!.nodes, ["n0", "n9"]);
  assert.equal(paths.length, 4);
});

Deno.test("latency is that of the whole path, not what the neighbour measured", () => {
  const router = routerOf([...link("n0", "n1", 40, 0.1), ...link("n1", "n2", 5, 0.2)]);
  const path = pathsOf(router, "n2")[0]!;
  assert.equal(path.latencyMs, 45);
  assert.ok(Math.abs(path.loss - 0.28) < 1e-9);
  assert.ok(Math.abs(path.score - 45 * (1 + 5 * 0.28) * 1.3) < 1e-9);
});

Deno.test("a neighbour whose session has ended is no first hop from that moment on", () => {
  const router = routerOf([...link("n0", "n1", 9), ...link("n0", "n2", 1), ...link("n2", "n1", 1)]);
  assert.equal(pathsOf(router, "n1").length, 2);
  router.setLiveNeighbours(["n2"]);
  assert.deepEqual(pathsOf(router, "n1").map(({ nodes }) => nodes), [["n0", "n2", "n1"]]);
  router.setLiveNeighbours([]);
  assert.equal(reasonOf(router, "n1"), "no-links");
});

Deno.test("a session is usable before any report of it, for its peer and beyond", () => {
  const router = routerOf(link("n1", "n2", 5), ["n1"]);
  assert.deepEqual(pathsOf(router, "n1")[0]!.nodes, ["n0", "n1"]);
  assert.equal(pathsOf(router, "n1")[0]!.latencyMs, 500);
  assert.deepEqual(pathsOf(router, "n2")[0]!.nodes, ["n0", "n1", "n2"]);
});

Deno.test("every failure has its reason", () => {
  const chain = Array.from({ length: 18 }, (_, i) => link(name(i), name(i + 1), 1)).flat();
  const oneSided = { from: "n1", to: "lonely", latencyMs: 1, loss: 0 };
  const router = routerOf([...chain, oneSided, ...link("island1", "island2", 1)]);
  assert.equal(reasonOf(router, "n0"), "self");
  assert.equal(reasonOf(router, "nobody"), "unknown-node");
  assert.equal(reasonOf(router, "lonely"), "no-links");
  assert.equal(reasonOf(router, "island1"), "unreachable");
  assert.equal(pathsOf(router, "n16")[0]!.nodes.length, 17);
  assert.equal(reasonOf(router, "n17"), "too-many-hops");
  router.setRevoked(["n3"]);
  assert.equal(reasonOf(router, "n3"), "revoked");
  assert.equal(reasonOf(router, "n4"), "unreachable");
  router.setTopology([], 2, ["recorded"]);
  assert.equal(reasonOf(router, "recorded"), "no-links");
});

Deno.test("a pinned destination is reached through its relay alone, or not at all", () => {
  const reports = [
    ...link("n0", "n9", 1),
    ...link("n0", "n1", 5),
    ...link("n1", "n2", 5),
    ...link("n2", "n9", 5),
    ...link("n0", "n2", 9),
  ];
  const router = routerOf(reports);
  router.setPins(new Map([["n9", "n2"]]));
  assert.ok(pathsOf(router, "n9").length > 1);
  for (const { nodes } of pathsOf(router, "n9")) assert.ok(nodes.slice(1, -1).includes("n2"));
  assert.deepEqual(pathsOf(router, "n1")[0]!.nodes, ["n0", "n1"], "others are not concerned");
  router.setRevoked(["n2"]);
  assert.equal(reasonOf(router, "n9"), "pin-unusable");
  router.setRevoked([]);
  router.setPins(new Map([["n9", "absent"]]));
  assert.equal(reasonOf(router, "n9"), "pin-unusable");
  router.setPins(new Map());
  assert.deepEqual(pathsOf(router, "n9")[0]!.nodes, ["n0", "n9"]);
});

Deno.test("a pin to the destination itself means the direct link, a pin via oneself means nothing", () => {
  const router = routerOf([
    ...link("n0", "n1", 1),
    ...link("n1", "n2", 1),
    ...link("n0", "n2", 90),
  ]);
  router.setPins(new Map([["n2", "n2"]]));
  assert.deepEqual(pathsOf(router, "n2").map(({ nodes }) => nodes), [["n0", "n2"]]);
  router.setLiveNeighbours(["n1"]);
  assert.equal(reasonOf(router, "n2"), "pin-unusable");
  router.setPins(new Map([["n2", "n0"]]));
  assert.deepEqual(pathsOf(router, "n2")[0]!.nodes, ["n0", "n1", "n2"]);
});

Deno.test("pinned paths are simple and pass through the relay on any mesh", () => {
  fc.assert(
    fc.property(randomMesh(10), ({ size, reports }) => {
      const router = routerOf(reports);
      router.setPins(new Map(Array.from({ length: size }, (_, n) => [name(n), "n1"])));
      for (let n = 2; n < size; n++) {
        const answer = router.paths(name(n));
        if ("reason" in answer) continue;
        for (const { nodes } of answer.paths) {
          assert.equal(new Set(nodes).size, nodes.length);
          assert.ok(nodes.length <= 17 && nodes.slice(1, -1).includes("n1"));
        }
        const different = new Set(answer.paths.map(({ nodes }) => nodes.join()));
        assert.equal(different.size, answer.paths.length);
      }
    }),
    { numRuns: 300 },
  );
});

Deno.test("a new choice avoids the link or relay that failed, beyond the usual paths if it must", () => {
  const relays = ["n1", "n2", "n3", "n4", "n5"];
  const router = routerOf(relays.flatMap((relay, i) => [
    ...link("n0", relay, 1 + i),
    ...link(relay, "n9", 1 + i),
  ]));
  assert.equal(pathsOf(router, "n9").length, 4);
  const nodes = new Set(["n0", "n1", "n2", "n3", "n9"]);
  for (let i = 0; i < 50; i++) assert.equal(chosen(router, "n9", { nodes }).nodes[1], "n4");
  nodes.add("n4");
  assert.equal(chosen(router, "n9", { nodes }).nodes[1], "n5");
  assert.equal(chosen(router, "n9", { nodes, links: [["n9", "n4"]] }).nodes[1], "n5");
  const last = router.choose("n9", { nodes, links: [["n9", "n5"]] });
  assert.ok(isNoPath(last) && last.reason === "unreachable");
});

Deno.test("avoided links and relays are never in the answer, on any mesh", () => {
  fc.assert(fc.property(randomMesh(10), fc.nat(9), fc.nat(9), ({ size, reports }, relay, end) => {
    const router = routerOf(reports);
    for (let n = 1; n < size; n++) {
      const avoid: Avoid = { nodes: new Set([name(relay)]), links: [["n0", name(end)]] };
      const path = router.choose(name(n), avoid);
      if (isNoPath(path)) continue;
      assert.ok(!path.nodes.slice(1, -1).includes(name(relay)));
      assert.notEqual(path.nodes[1], name(end));
    }
  }));
});

Deno.test("an answer is remembered until the topology, the sessions, the pins or the revocations change", () => {
  const reports = [...link("n0", "n1", 1), ...link("n1", "n2", 1), ...link("n0", "n3", 1)];
  const router = routerOf(reports);
  const before = router.paths("n2");
  router.setTopology([], 1);
  router.setLiveNeighbours(["n3", "n1"]);
  router.setRevoked([]);
  assert.equal(router.paths("n2"), before, "nothing has changed");
  router.setTopology(reports, 2);
  assert.notEqual(router.paths("n2"), before);
  router.setRevoked(["n1"]);
  assert.equal(reasonOf(router, "n2"), "no-links");
});

Deno.test("a router wants one to sixteen paths", () => {
  for (const k of [0, 17, 1.5, NaN]) {
    assert.throws(() => new Router({ self: "n0", random: seededRandom(1), k }), RangeError);
  }
});

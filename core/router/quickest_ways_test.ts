import assert from "node:assert/strict";
import { Router } from "./router.ts";
import { largeMesh, name, reportedNeighbours, seededRandom } from "./testing.ts";

Deno.test("every node that can be reached has a way, no worse than that of its best path", () => {
  const random = seededRandom(7);
  const reports = largeMesh(300, 5, random);
  const router = new Router({ self: name(0), random });
  router.setLiveNeighbours(reportedNeighbours(name(0), reports));
  router.setTopology(reports, 1);
  const ways = router.ways();
  assert.equal(ways.size, 299);
  for (let n = 1; n < 300; n += 7) {
    const best = router.paths(name(n));
    assert.ok("paths" in best);
    const way = ways.get(name(n))!;
    const cost = (latencyMs: number, hops: number) => latencyMs + hops;
    // Without loss the search is by latency and links; the best path is one of the ways it looked at.
    if (way.loss === 0 && best.paths[0]!.loss === 0) {
      assert.ok(
        cost(way.latencyMs, way.hops) <=
          cost(best.paths[0]!.latencyMs, best.paths[0]!.nodes.length - 1) + 1e-6,
      );
    }
    assert.ok(way.hops >= 1 && way.loss >= 0 && way.loss < 1);
  }
});

Deno.test("a node without links has no ways, and unreachable nodes have none", () => {
  const router = new Router({ self: name(0), random: () => 0 });
  assert.equal(router.ways().size, 0);
  router.setTopology([{ from: name(1), to: name(2), latencyMs: 1, loss: 0 }], 1);
  assert.equal(router.ways().size, 0);
});

import assert from "node:assert/strict";
import { Router } from "./router.ts";
import { largeMesh, name, reportedNeighbours, seededRandom } from "./testing.ts";

/** Generous: ten times what was measured on two shared cores, so that only a change of complexity fails. */
Deno.test("a mesh of 1,000 nodes is taken up and searched in milliseconds", () => {
  const random = seededRandom(3);
  const reports = largeMesh(1000, 6, random);
  const router = new Router({ self: name(0), random });
  router.setLiveNeighbours(reportedNeighbours(name(0), reports));
  const began = performance.now();
  router.setTopology(reports, 1);
  let longest = 0;
  for (let n = 1; n < 200; n++) {
    const before = performance.now();
    assert.ok(!("reason" in router.paths(name(n))));
    longest = Math.max(longest, performance.now() - before);
  }
  assert.ok(longest < 500, `one destination took ${longest} ms`);
  assert.ok(performance.now() - began < 5000, "200 destinations took more than 5 s");
});

import assert from "node:assert/strict";
import { Prng } from "./prng.ts";
import { components, halfOf, randomTopology } from "./topology.ts";

Deno.test("a topology is connected, has the mean degree asked for and no link twice", () => {
  for (const [nodes, degree] of [[2, 6], [10, 1], [50, 3], [500, 6]] as const) {
    const edges = randomTopology(nodes, degree, new Prng(`${nodes}`));
    assert.equal(new Set(components(nodes, edges)).size, 1);
    const wanted = Math.min(Math.round(nodes * degree / 2), nodes * (nodes - 1) / 2);
    assert.equal(edges.length, Math.max(nodes - 1, wanted));
    const names = edges.map(({ a, b }) => `${Math.min(a, b)} ${Math.max(a, b)}`);
    assert.equal(new Set(names).size, edges.length);
    assert.ok(edges.every(({ a, b }) => a !== b));
  }
});

Deno.test("components are what hangs together", () => {
  const parts = components(5, [{ a: 0, b: 1 }, { a: 2, b: 3 }]);
  assert.equal(parts[0], parts[1]);
  assert.equal(parts[2], parts[3]);
  assert.equal(new Set(parts).size, 3);
});

Deno.test("half of a mesh is half of its nodes and hangs together", () => {
  const edges = randomTopology(100, 4, new Prng("half"));
  const half = halfOf(100, edges, 7);
  assert.equal(half.size, 50);
  const inside = edges.filter(({ a, b }) => half.has(a) && half.has(b));
  const parts = components(100, inside);
  assert.equal(new Set([...half].map((node) => parts[node])).size, 1);
});

import assert from "node:assert/strict";
import { checkPaths, checkRecords, type Findings, pathFault } from "./invariants.ts";
import { Forger } from "./forger.ts";
import { Prng } from "./prng.ts";
import { randomTopology } from "./topology.ts";
import { World } from "./world.ts";

/** A mesh that has come to rest. */
function meshOf(nodes: number, prepare: (world: World) => void = () => {}): World {
  const random = new Prng("invariants");
  const world = new World({
    seed: "invariants",
    nodes,
    edges: randomTopology(nodes, 4, random.fork("topology")),
    random,
    latencyMs: [1, 20],
    loss: 0,
  });
  prepare(world);
  for (const node of world.nodes) world.startNode(node);
  world.runUntil(20_000);
  return world;
}

function inspect(world: World): Findings {
  const findings: Findings = { paths: 0, records: 0, broken: [] };
  checkRecords(world, "test", findings);
  checkPaths(world, "test", { sources: 20, destinations: 20 }, new Prng("sample"), findings);
  return findings;
}

Deno.test("a mesh at rest breaks no invariant, and a lot was looked at", () => {
  const findings = inspect(meshOf(30));
  assert.deepEqual(findings.broken, []);
  assert.ok(findings.paths > 400 && findings.records === 30 * 29);
});

Deno.test("the inspection sees routes over links that nobody has noticed are down", () => {
  const world = meshOf(30);
  for (const link of world.links) if (link.a % 3 === 0) world.cutLink(link);
  assert.ok(inspect(world).broken.some((line) => line.includes("stale route")));
  world.runUntil(world.now() + 30_000);
  assert.deepEqual(inspect(world).broken, []);
});

Deno.test("the inspection sees forged records when signatures are not checked", () => {
  const world = meshOf(20, (world) => {
    Object.assign(world.facts, { verifySignature: () => true });
  });
  const forger = new Forger(world, "invariants", new Prng("forger"));
  world.onMessage = (bytes) => forger.overhear(bytes);
  world.runUntil(world.now() + 60_000);
  for (let i = 0; i < 200; i++) forger.strike();
  world.runUntil(world.now() + 1_000);
  assert.ok(inspect(world).broken.some((line) => line.includes("forged record accepted")));
});

Deno.test("every kind of wrong path has its name", () => {
  const world = meshOf(20);
  const link = world.links[0]!;
  const [a, b] = [world.node(link.a), world.node(link.b)];
  const fault = (...nodes: string[]) => pathFault(world, { nodes }, a, b);
  const stranger = world.nodes.find((node) =>
    node !== a && node !== b && world.linkBetween(a.id, node.id) === undefined
  )!;
  assert.equal(fault(a.id, b.id), null);
  assert.match(fault(a.id, b.id, a.id, b.id)!, /loop/);
  assert.match(fault(b.id, a.id)!, /elsewhere/);
  assert.match(fault(a.id, stranger.id, b.id)!, /never was/);
  const long = world.nodes.filter((node) => node !== a && node !== b).map((node) => node.id);
  assert.match(fault(a.id, ...long.slice(0, 16), b.id)!, /17 links/);
  world.cutLink(link);
  assert.match(fault(a.id, b.id)!, /stale/);
});

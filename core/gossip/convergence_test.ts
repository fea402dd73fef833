import assert from "node:assert/strict";
import fc from "fast-check";
import { TestMesh } from "./testing.ts";

Deno.test("two engines converge whatever is lost, once not everything is lost any more", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer(),
      fc.double({ min: 0, max: 0.9, noNaN: true }),
      fc.array(
        fc.record({
          node: fc.nat(1),
          version: fc.constantFrom("a", "b", "c", "d"),
          pauseMs: fc.nat(15_000),
          flap: fc.boolean(),
        }),
        { maxLength: 12 },
      ),
      async (seed, loss, steps) => {
        const mesh = await TestMesh.create({ seed });
        const nodes = await mesh.line(2, { loss, latencyMs: 40 });
        for (const { node, version, pauseMs, flap } of steps) {
          mesh.say(nodes[node]!, { version });
          if (flap) {
            mesh.disconnect(nodes[0]!, nodes[1]!);
            mesh.connect(nodes[0]!, nodes[1]!, { loss, latencyMs: 40 });
          }
          mesh.run(pauseMs);
        }
        mesh.setLoss(Math.min(loss, 0.5));
        const agree = () =>
          nodes.every((node) =>
            nodes.every((other) =>
              node.engine.get(other.id)?.report.version ===
                other.engine.get(other.id)?.report.version
            )
          );
        assert.ok(mesh.runUntil(agree, 300_000, 500) < Infinity);
      },
    ),
    { numRuns: 60 },
  );
});

Deno.test("random meshes with loss and restarts converge, and stay converged", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer(),
      fc.integer({ min: 3, max: 8 }),
      fc.double({ min: 0, max: 0.3, noNaN: true }),
      async (seed, count, loss) => {
        const mesh = await TestMesh.create({ seed });
        const nodes = await mesh.line(count, { loss });
        for (let i = 0; i < count; i++) {
          const [a, b] = [nodes[Math.floor(mesh.random() * count)]!, nodes[i]!];
          if (a !== b) mesh.connect(a, b, { loss });
        }
        mesh.run(10_000);
        const reborn = nodes[Math.floor(mesh.random() * count)]!;
        const peers = nodes.filter((node) => node !== reborn && mesh.connected(node, reborn));
        mesh.restart(reborn);
        for (const peer of peers) mesh.connect(peer, reborn, { loss });
        mesh.say(reborn, { version: "reborn" });
        const known = () =>
          nodes.every((node) => node.engine.get(reborn.id)?.report.version === "reborn") &&
          nodes.every((node) => node.engine.size === count);
        assert.ok(mesh.runUntil(known, 120_000, 500) < Infinity);
        mesh.run(400_000);
        assert.ok(known());
      },
    ),
    { numRuns: 25 },
  );
});

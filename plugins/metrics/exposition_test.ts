import assert from "node:assert/strict";
import { expositionText, nodeSamples, uncleanNames } from "../../core/metrics/mod.ts";
import { sampleInput } from "../../core/metrics/testing.ts";
import { labTest, run } from "../../tests/lab/mod.ts";
import { exposition } from "./exposition.ts";

/** Lines in an order that does not depend on the writer; label values without what the two escape differently. */
const lines = (text: string) => text.split("\n").filter((line) => line !== "").sort();

Deno.test("both writers say the same of a node", async () => {
  const samples = nodeSamples(sampleInput(20));
  assert.deepEqual(lines(await exposition(samples)), lines(expositionText(samples)));
});

Deno.test("a label cannot break out of its quotes", async () => {
  const text = await exposition([
    { name: "a", help: "x", type: "gauge", value: 1, labels: { name: 'q"} 5\nb 6\\' } },
  ]);
  assert.ok(text.includes('a{name="q\\"} 5\\nb 6\\\\"} 1'), text);
  assert.equal(text.split("\n").filter((line) => line.startsWith("b")).length, 0);
});

labTest(
  "Prometheus' own linter has nothing to say of the clean names, and of the others just what is known",
  {
    commands: ["promtool"],
  },
  async () => {
    const samples = nodeSamples(sampleInput(3));
    const check = async (chosen: typeof samples) => {
      const stdin = await exposition(chosen);
      const { code, stderr, stdout } = await run(["promtool", "check", "metrics"], { stdin });
      return { code, said: (stdout + stderr).trim() };
    };
    const clean = samples.filter(({ name }) => !uncleanNames.has(name));
    assert.deepEqual(await check(clean), { code: 0, said: "" });
    assert.deepEqual(await check(samples), {
      code: 3,
      said: "pulse_peer_latency_ms metric names should not contain abbreviated units",
    });
  },
);

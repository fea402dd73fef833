import assert from "node:assert/strict";
import { nodeSamples } from "../../core/metrics/mod.ts";
import { sampleInput } from "../../core/metrics/testing.ts";
import { startTestHost } from "../../core/plugin/testing.ts";
import type { Json } from "../../core/plugin/types.ts";
import project from "../../deno.json" with { type: "json" };

const start = () =>
  startTestHost(
    { metrics: { ...project.pulse.plugins.metrics, module: "./mod.ts" } },
    { baseUrl: import.meta.url, restart: { maxRestarts: 0 } },
  );

const samples = (peers: number) => nodeSamples(sampleInput(peers)) as unknown as Json;

Deno.test("in a Worker without a permission, the plugin writes the samples it is given", async () => {
  await using test = await start();
  const render = (names: string) =>
    test.host.call("metrics", "render", { names, samples: samples(1000) });
  const text = await render("all") as string;
  assert.match(text, /^pulse_peers_total 1000$/m);
  assert.match(text, /^pulse_link_round_trip_seconds_bucket\{le="\+Inf"\} 3$/m);
  assert.match(text, /^pulse_peer_latency_ms\{/m);
  assert.doesNotMatch(await render("clean") as string, /latency_ms/);
  const own = await test.host.metrics();
  assert.equal(own.find(({ name }) => name === "pulse_scrapes_total")?.value, 2);
});

Deno.test("what is no sample is refused with its place", async () => {
  await using test = await start();
  const bad = { names: "all", samples: [{ name: "a b", help: "", type: "gauge", value: 1 }] };
  await assert.rejects(test.host.call("metrics", "render", bad), {
    code: "METRICS_INVALID",
    message: /samples\.0\.name/,
  });
});

import assert from "node:assert/strict";
import { createTestCa } from "../identity/testing.ts";
import type { Json, PluginMetric } from "../plugin/types.ts";
import { scrape, type ScrapeOptions } from "./scrape.ts";
import { startTestNode } from "./testing.ts";

const gauge = (name: string, value: number, labels?: PluginMetric["labels"]): PluginMetric => ({
  name,
  help: "x",
  type: "gauge",
  value,
  ...(labels && { labels }),
});

/** Plugins that measure this; with `render` one of them writes, too. */
function withPlugins(
  samples: readonly PluginMetric[],
  render?: (argument: Json) => Json,
): Pick<ScrapeOptions, "plugins" | "log" | "now"> & { readonly logged: string[] } {
  const logged: string[] = [];
  return {
    logged,
    now: Date.now(),
    log: (_, message) => void logged.push(message),
    plugins: {
      metrics: () => Promise.resolve(samples),
      provides: () => render !== undefined,
      // A throw is a rejection.
      call: async (_service, _method, argument) => await Promise.resolve(render!(argument)),
    },
  };
}

Deno.test("before it has joined, a node tells what its plugins measure", async () => {
  const text = await scrape("all", { node: undefined, ...withPlugins([gauge("pulse_x", 7)]) });
  assert.equal(text, "# HELP pulse_x x\n# TYPE pulse_x gauge\npulse_x 7\n");
});

Deno.test("the plugin for it writes the text, and when it cannot, the node does and says so", async () => {
  const samples = [gauge("pulse_x", 7), gauge("pulse_peer_latency_ms", 1)];
  const asked: Json[] = [];
  const good = withPlugins(samples, (argument) => {
    asked.push(argument);
    return "text";
  });
  assert.equal(await scrape("clean", { node: undefined, ...good }), "text");
  assert.deepEqual(asked, [{ names: "clean", samples }]);
  for (const odd of [() => 7, () => assert.fail("down")]) {
    const bad = withPlugins(samples, odd);
    const text = await scrape("clean", { node: undefined, ...bad });
    assert.match(text, /^pulse_x 7$/m);
    assert.doesNotMatch(text, /latency_ms/);
    assert.deepEqual(bad.logged, ["the metrics plugin failed a scrape"]);
  }
});

Deno.test("no series is told twice: the node's own names are its own, and of two plugins the first counts", async () => {
  await using running = await startTestNode(await (await createTestCa()).issue());
  const plugins = withPlugins([
    gauge("pulse_peers_connected", 99),
    gauge("pulse_tokens_valid", 1),
    gauge("pulse_tokens_valid", 2),
    gauge("pulse_y", 1, { a: "1", b: "2" }),
    gauge("pulse_y", 2, { b: "2", a: "1" }),
    gauge("pulse_y", 3, { a: "1" }),
  ]);
  const text = await scrape("all", { node: running.node, ...plugins });
  const values = (name: string) =>
    text.split("\n").filter((line) => line.startsWith(name)).map((line) => line.split(" ").at(-1));
  assert.deepEqual(values("pulse_peers_connected"), ["0"]);
  assert.deepEqual(values("pulse_tokens_valid"), ["1"]);
  assert.deepEqual(values("pulse_y"), ["1", "3"]);
  assert.deepEqual(values("pulse_node_stats_bytes_in"), ["0"]);
});

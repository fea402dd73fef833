import assert from "node:assert/strict";
import { nodeSamples, sampleValues } from "../../core/metrics/mod.ts";
import { sampleInput } from "../../core/metrics/testing.ts";
import { startTestHost } from "../../core/plugin/testing.ts";
import project from "../../deno.json" with { type: "json" };
import dashboard from "./grafana.json" with { type: "json" };

/** Names and labels a node exposes, plugins' own included. */
async function exposed(): Promise<Map<string, Set<string>>> {
  await using test = await startTestHost(
    { metrics: { ...project.pulse.plugins.metrics, module: "./mod.ts" } },
    { baseUrl: import.meta.url },
  );
  const names = new Map<string, Set<string>>();
  for (const sample of [...nodeSamples(sampleInput(4)), ...await test.host.metrics()]) {
    for (const [suffix, , le] of sampleValues(sample)) {
      const labels = names.get(sample.name + suffix) ?? new Set<string>();
      for (const label of Object.keys(sample.labels ?? {})) labels.add(label);
      if (le !== undefined) labels.add("le");
      names.set(sample.name + suffix, labels);
    }
  }
  return names;
}

Deno.test("every query of the dashboard asks for names and labels that are there", async () => {
  const names = await exposed();
  const targets = dashboard.panels.flatMap((panel) => panel.targets);
  const variables = dashboard.templating.list.map(({ query }) => query);
  let asked = 0;
  for (const query of [...targets.map(({ expr }) => expr), ...variables]) {
    for (const [name] of query.matchAll(/\bpulse_[a-z0-9_]+/g)) {
      assert.ok(names.has(name), `nobody exposes ${name}, asked for by ${query}`);
      asked++;
    }
  }
  assert.ok(asked >= dashboard.panels.length);
  for (const { expr, legendFormat } of targets) {
    const [name = ""] = /\bpulse_[a-z0-9_]+/.exec(expr) ?? [];
    for (const [, label = ""] of legendFormat.matchAll(/\{\{(\w+)\}\}/g)) {
      // Prometheus itself adds the instance.
      assert.ok(label === "instance" || names.get(name)!.has(label), `${name} has no ${label}`);
    }
  }
});

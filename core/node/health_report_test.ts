import assert from "node:assert/strict";
import { healthReport } from "./health_report.ts";

const ca = { plugin: "ca", ok: true, detail: "running" };

Deno.test("a node without errors whose plugins are well works; with warnings it is degraded", () => {
  const warning = { code: "NO_PEERS", severity: "warning", text: "alone" } as const;
  assert.deepEqual(healthReport([warning], [ca]), {
    ok: true,
    status: "degraded",
    reasons: [warning],
    checks: [{ name: "node", ok: true, detail: "running" }, {
      name: "plugin ca",
      ok: true,
      detail: "running",
    }],
  });
  assert.equal(healthReport([], [ca]).status, "ok");
});

Deno.test("one error or one plugin is enough to be unwell, and each is told once", () => {
  const error = { code: "NO_LINKS", severity: "error", text: "No peer is linked" } as const;
  assert.deepEqual(healthReport([error], []).checks, [
    { name: "node", ok: false, detail: "No peer is linked" },
  ]);
  const failed = { code: "PLUGIN_FAILED", severity: "error", text: "Plugin ca failed" } as const;
  const report = healthReport([failed], [{ ...ca, ok: false, detail: "boom" }]);
  assert.equal(report.ok, false);
  assert.equal(report.status, "failing");
  assert.deepEqual(report.checks.map(({ ok }) => ok), [true, false]);
});

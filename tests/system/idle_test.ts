import assert from "node:assert/strict";
import { join } from "node:path";
import { fromSource, runOk } from "../lab/mod.ts";
import type { IdleReport } from "./fixtures/idle_mesh.ts";

Deno.test("nodes that lie idle for eleven minutes stay peers, and one that stopped is forgotten after five", async () => {
  const script = join(import.meta.dirname!, "fixtures/idle_mesh.ts");
  const argv = [...fromSource.slice(0, -1), script];
  const output = await runOk(argv, { timeoutMs: 120_000 });
  const report: IdleReport = JSON.parse(output);
  assert.deepEqual(report.faults, []);
  assert.ok(report.virtualSeconds >= 600);
  assert.equal(report.echo, "still here over 2 links");
  const forgotten = report.stoppedForgottenAfter;
  assert.ok(forgotten !== null && forgotten > 240 && forgotten < 400, `after ${forgotten} s`);
});

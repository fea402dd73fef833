import assert from "node:assert/strict";
import type { HealthWarning } from "../control/types.ts";
import { createTestCa } from "../identity/testing.ts";
import { expiryWarnings } from "./expiry.ts";
import { healthReport } from "./health_report.ts";
import { metricsInput } from "./metrics.ts";
import { mayReadStats, NodeHistory } from "./node_history.ts";
import { certificateStatus } from "./status.ts";
import { startTestNode } from "./testing.ts";

Deno.test("as a certificate's life goes by it is a warning, makes health degraded, and is one event, whatever is restarted", async () => {
  const dataDir = await Deno.makeTempDir({ prefix: "pulse-node-history-" });
  try {
    const credentials = await (await createTestCa("corp")).issue();
    await using test = await startTestNode(credentials);
    const { certificate, anchor } = test.node.credentials;
    const clock = { wall: () => now, now: () => performance.now() };
    let now = certificate.notBefore;
    const quarterLeft = ({ notBefore, notAfter }: { notBefore: number; notAfter: number }) =>
      notAfter - (notAfter - notBefore) / 4 + 1;
    const warnings = (): HealthWarning[] =>
      expiryWarnings(certificateStatus(test.node.credentials, now));
    const lives = (...times: number[]) => {
      using history = new NodeHistory({
        dataDir,
        self: test.node.id,
        clock,
        log: () => {},
        node: () => test.node,
        warnings,
      });
      for (now of times) history.look();
      const { events } = history.history.events({ limit: 50 });
      return events.map(({ type }) => type).filter((type) => type !== "warning_over").reverse();
    };
    assert.deepEqual(lives(certificate.notBefore, quarterLeft(certificate) - 2), []);
    assert.equal(healthReport(warnings(), []).status, "ok");
    const expiring = quarterLeft(certificate);
    assert.deepEqual(lives(expiring, expiring + 1), ["cert_expiring"]);
    assert.equal(healthReport(warnings(), []).status, "degraded");
    assert.deepEqual(lives(expiring + 2), ["cert_expiring"]);
    assert.deepEqual(
      lives(certificate.notAfter, quarterLeft(anchor), anchor.notAfter),
      ["cert_expiring", "cert_expired", "ca_expiring", "ca_expired"],
    );
    assert.equal(healthReport(warnings(), []).status, "failing");
    const { caSecondsLeft, certificateSecondsLeft } = metricsInput(
      test.node,
      anchor.notAfter - 60_000,
    );
    assert.equal(caSecondsLeft, 60);
    assert.ok(certificateSecondsLeft < 0);
  } finally {
    await Deno.remove(dataDir, { recursive: true });
  }
});

Deno.test("what a node measured is for the CA and for the scribe of the grant in force, whatever a certificate says", () => {
  const [desk, other] = ["d".repeat(32), "e".repeat(32)];
  assert.equal(mayReadStats({ id: desk, roles: [] }, desk), true);
  assert.equal(mayReadStats({ id: other, roles: ["ca"] }, desk), true);
  assert.equal(mayReadStats({ id: other, roles: [] }, desk), false);
  assert.equal(mayReadStats({ id: other, roles: ["scribe", "exit"] }, desk), false);
  assert.equal(mayReadStats({ id: other, roles: [] }, null), false);
});

import assert from "node:assert/strict";
import { createTestCa } from "../identity/testing.ts";
import { RenewalSchedule, renewAt } from "./renewal.ts";

const day = 24 * 3600_000;

async function withLife(days: number) {
  const now = Date.now();
  const ca = await createTestCa();
  const credentials = await ca.issue({ notBefore: now, notAfter: now + days * day });
  return { credentials, start: credentials.certificate.notBefore };
}

Deno.test("a 90-day certificate is due when 30 days remain, not before", async () => {
  const { credentials, start } = await withLife(90);
  const schedule = new RenewalSchedule();
  assert.equal(schedule.due(credentials, start + 59 * day), false);
  assert.equal(schedule.due(credentials, start + 61 * day), true);
});

Deno.test("a short certificate is due when a third of its life is left", async () => {
  const { credentials, start } = await withLife(3);
  assert.ok(Math.abs(renewAt(credentials) - (start + 2 * day)) < 2_000);
});

Deno.test("a certificate that is not of the newest CA is due at once, and again after a failure", async () => {
  const { credentials, start } = await withLife(90);
  const schedule = new RenewalSchedule();
  assert.equal(schedule.due(credentials, start, true), true);
  assert.equal(schedule.nextCheck(credentials, start, true), 1_000);
  schedule.failed(start);
  assert.equal(schedule.due(credentials, start + 4_999, true), false);
  assert.equal(schedule.nextCheck(credentials, start, true), 5_000);
});

Deno.test("after failures the next tries are spaced out up to an hour, and a success resets that", async () => {
  const { credentials, start } = await withLife(90);
  const now = start + 80 * day;
  const schedule = new RenewalSchedule();
  schedule.failed(now);
  assert.equal(schedule.due(credentials, now + 4_999), false);
  assert.equal(schedule.due(credentials, now + 5_000), true);
  for (let n = 0; n < 20; n++) schedule.failed(now);
  assert.equal(schedule.due(credentials, now + 3600_000), true);
  assert.equal(schedule.nextCheck(credentials, now), 3600_000);
  schedule.succeeded();
  assert.equal(schedule.due(credentials, now), true);
});

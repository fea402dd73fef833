import assert from "node:assert/strict";
import type { CertificateStatus, Lifetime } from "../control/types.ts";
import { healthWarnings } from "./status_warnings.ts";

const life: Lifetime = {
  notBefore: "2026-01-01T00:00:00.000Z",
  notAfter: "2026-04-01T00:00:00.000Z",
  remainingSeconds: 86_400 * 80,
  status: "valid",
};
const valid: CertificateStatus = {
  ...life,
  serial: "01",
  fingerprint: "f",
  caFingerprint: "c",
  ca: life,
};
const healthy = {
  certificate: valid,
  linked: 1,
  configured: 1,
  known: 1,
  ca: false,
  failures: new Map<string, string>(),
  plugins: [],
  joinError: undefined,
  renewalError: undefined,
  roll: "none" as const,
  config: [],
  scribeError: undefined,
  apiError: undefined,
};
const codes = (facts: Partial<typeof healthy> | object) =>
  healthWarnings({ ...healthy, ...facts }).map((warning) => warning.code);

Deno.test("a healthy node has no warnings", () => {
  assert.deepEqual(codes({}), []);
});

Deno.test("each trouble has its own stable code", () => {
  assert.deepEqual(codes({ certificate: null, joinError: "refused" }), ["NOT_JOINED"]);
  assert.deepEqual(codes({ certificate: { ...valid, status: "expiring" } }), [
    "CERTIFICATE_EXPIRING",
  ]);
  assert.deepEqual(codes({ certificate: { ...valid, status: "expired" } }), [
    "CERTIFICATE_EXPIRED",
  ]);
  assert.deepEqual(codes({ certificate: { ...valid, ca: { ...life, status: "expiring" } } }), [
    "CA_EXPIRING",
  ]);
  assert.deepEqual(codes({ certificate: { ...valid, ca: { ...life, status: "expired" } } }), [
    "CA_EXPIRED",
  ]);
  assert.deepEqual(codes({ roll: "pending" }), ["CA_ROLL_PENDING"]);
  assert.deepEqual(codes({ roll: "retired" }), ["CERTIFICATE_RETIRED"]);
  const config = [{ code: "CONFIG_FORKED" as const, text: "two" }];
  assert.deepEqual(codes({ config, scribeError: "no" }), [
    "CONFIG_FORKED",
    "CONFIG_SCRIBE_REFUSED",
  ]);
  assert.deepEqual(codes({ linked: 0 }), ["NO_LINKS"]);
  const alone = { linked: 0, configured: 0, known: 0 };
  assert.deepEqual(codes(alone), ["NO_PEERS"]);
  assert.deepEqual(codes({ ...alone, ca: true }), []);
  const failures = new Map([["192.0.2.1:8443", "the node has been revoked"]]);
  assert.deepEqual(codes({ failures }), ["PEER_UNREACHABLE"]);
  assert.deepEqual(codes({ renewalError: "no CA" }), ["RENEWAL_FAILING"]);
  assert.deepEqual(
    codes({ plugins: [{ name: "socks", state: "failed", detail: "port taken" }] }),
    ["PLUGIN_FAILED"],
  );
});

Deno.test("a peer that cannot be linked is named with the reason", () => {
  const failures = new Map([["192.0.2.1:8443", "another network lives there"]]);
  const [warning] = healthWarnings({ ...healthy, failures });
  assert.equal(
    warning?.text,
    "Peer 192.0.2.1:8443 cannot be linked: another network lives there",
  );
});

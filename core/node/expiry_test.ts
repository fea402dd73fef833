import assert from "node:assert/strict";
import { createTestCa } from "../identity/testing.ts";
import { expiryWarnings, ExpiryWatch } from "./expiry.ts";
import { certificateStatus } from "./status.ts";

const credentials = await (await createTestCa("corp")).issue();
const { certificate, anchor } = credentials;
/** When this share of a life is over. */
const at = (share: number, { notBefore, notAfter }: { notBefore: number; notAfter: number }) =>
  Math.floor(notBefore + share * (notAfter - notBefore));
const codes = (now: number) =>
  expiryWarnings(certificateStatus(credentials, now)).map(({ code, severity }) =>
    `${code} ${severity}`
  );

Deno.test("a certificate is warned of when a quarter of its life is left, and so is its CA's", () => {
  assert.ok(anchor.notAfter > certificate.notAfter);
  assert.deepEqual(codes(at(0.749, certificate)), []);
  assert.deepEqual(codes(at(0.751, certificate)), ["CERTIFICATE_EXPIRING warning"]);
  assert.deepEqual(codes(certificate.notAfter), ["CERTIFICATE_EXPIRED error"]);
  assert.deepEqual(codes(at(0.751, anchor)).at(-1), "CA_EXPIRING warning");
  assert.deepEqual(codes(anchor.notAfter), ["CERTIFICATE_EXPIRED error", "CA_EXPIRED error"]);
});

Deno.test("each stage of each certificate is told once, also across restarts", () => {
  const newest = new Map<string, string>();
  const run = (...times: number[]) => {
    const watch = new ExpiryWatch((type) => newest.get(type));
    return times.flatMap((now) =>
      watch.next(certificateStatus(credentials, now)).map(({ type, fields }) => {
        newest.set(type, String(fields["certificate"]));
        assert.match(String(fields["detail"]), /expires in \d+ days|expired at/);
        return type;
      })
    );
  };
  const expiring = at(0.8, certificate);
  assert.deepEqual(run(certificate.notBefore, expiring, expiring + 1), ["cert_expiring"]);
  assert.deepEqual(run(expiring + 2, certificate.notAfter), ["cert_expired"]);
  assert.deepEqual(run(at(0.8, anchor), anchor.notAfter), ["ca_expiring", "ca_expired"]);
  assert.deepEqual(run(anchor.notAfter), []);
  // Another certificate is another matter.
  newest.set("cert_expiring", "another");
  assert.deepEqual(run(expiring), ["cert_expiring"]);
});

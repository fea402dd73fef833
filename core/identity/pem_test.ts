import assert from "node:assert/strict";
import fc from "fast-check";
import { CertificateError } from "./errors.ts";
import { derToPem, pemBlocks, pemToDer } from "./pem.ts";

Deno.test("PEM text gives back the bytes it was made from, with either line ending", () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 500 }), (der) => {
    const pem = derToPem(der);
    assert.deepEqual(pemToDer(pem), der);
    assert.deepEqual(pemToDer(pem.replaceAll("\n", "\r\n")), der);
    assert.ok(pem.split("\n").every((line) => line.length <= 64));
  }));
});

Deno.test("several blocks come out in order, and one is demanded where one is meant", () => {
  const both = derToPem(Uint8Array.of(1)) + "comment\n" + derToPem(Uint8Array.of(2));
  assert.deepEqual(pemBlocks(both).map((b) => b[0]), [1, 2]);
  assert.throws(() => pemToDer(both), { code: "CERT_MALFORMED" });
  assert.throws(() => pemToDer(""), { code: "CERT_MALFORMED" });
  assert.deepEqual(pemBlocks(derToPem(Uint8Array.of(1), "PRIVATE KEY")), []);
});

Deno.test("truncated, broken and oversized PEM is refused", () => {
  const pem = derToPem(crypto.getRandomValues(new Uint8Array(300)));
  for (let length = 30; length < pem.length - 1; length++) {
    assert.throws(() => pemToDer(pem.slice(0, length)), CertificateError);
  }
  assert.throws(() => pemToDer(pem.replace(/[A-Za-z]\n/, "!\n")), /base64/);
  assert.throws(() => pemToDer("x".repeat(40_000)), /limit/);
  assert.throws(() => pemBlocks(derToPem(Uint8Array.of(1)).repeat(9)), /more than 8/);
});

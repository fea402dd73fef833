import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import fc from "fast-check";
import { validateCertificate } from "./certificate.ts";
import { extension, keyUsageBit } from "./certificate_extensions.ts";
import { derSequence } from "./der_writer.ts";
import { CertificateError } from "./errors.ts";
import { generateNodeKey } from "./node_key.ts";
import { createTestCa, type TestIssueOptions } from "./testing.ts";
import type { Credentials } from "./types.ts";

const ca = await createTestCa("corp");
const now = Date.now();

function validate(credentials: Credentials, options: { usage?: "client" | "server" } = {}) {
  return validateCertificate(credentials.certificate.der, ca.anchor, {
    now,
    network: "corp",
    ...options,
  });
}

async function assertRefused(code: string, options: TestIssueOptions): Promise<void> {
  const credentials = await ca.issue(options);
  assert.throws(() => validate(credentials), { name: "CertificateError", code });
}

Deno.test("a certificate the CA issued says who the node is, where it lives and what it may do", async () => {
  const issued = await ca.issue({ roles: ["exit", "scribe"] });
  const certificate = validate(issued);
  assert.deepEqual(certificate, issued.certificate);
  assert.equal(certificate.id, issued.key.id);
  assert.deepEqual(certificate.roles, ["exit", "scribe"]);
  assert.equal(certificate.meshAddresses.length, 2);
  const oracle = new X509Certificate(certificate.pem);
  assert.equal(oracle.serialNumber.toLowerCase(), certificate.serial);
  assert.equal(
    oracle.fingerprint256.replaceAll(":", "").toLowerCase(),
    certificate.fingerprint,
  );
  assert.equal(new Date(oracle.validTo).getTime(), certificate.notAfter);
});

Deno.test("every forged certificate is refused, each for its own reason", async () => {
  const expected: Record<keyof typeof ca.forge, string> = {
    leafSignedByLeaf: "CERT_ISSUER",
    leafClaimingCa: "CERT_SIGNATURE",
    foreignCa: "CERT_SIGNATURE",
    expired: "CERT_EXPIRED",
    notYetValid: "CERT_NOT_YET_VALID",
    clientOnly: "CERT_EKU",
    wrongId: "CERT_NAME",
    otherNetwork: "CERT_NETWORK",
    noSan: "CERT_NO_SAN",
    caAsLeaf: "CERT_CA_FLAG",
    leafWithCaFlag: "CERT_CA_FLAG",
  };
  for (const [name, code] of Object.entries(expected)) {
    const forged = await ca.forge[name as keyof typeof expected]();
    assert.throws(() => validate(forged), { name: "CertificateError", code }, name);
  }
});

Deno.test("the same node key certified by a foreign CA does not help", async () => {
  const member = await ca.issue();
  const foreign = await (await createTestCa("corp")).issue({ key: member.key });
  assert.throws(() => validate(foreign), { code: "CERT_SIGNATURE" });
});

Deno.test("names have to be exactly those the CA writes", async () => {
  const key = generateNodeKey();
  const node = `${key.id}.corp.pulse.internal`;
  const network = "corp.pulse.internal";
  const bad: { dns?: string[]; ip?: string[]; uri?: string[] }[] = [
    { dns: [] },
    { dns: [node] },
    { dns: [network, node] },
    { dns: [node, network, "example.com"] },
    { dns: [node, "other.pulse.internal"] },
    { dns: [node + ".", network] },
    { dns: [node.toUpperCase(), network] },
    { dns: ["*.corp.pulse.internal", network] },
    { dns: [`${key.id}.corp.pulse.internal.example.com`, network] },
    { dns: [`${generateNodeKey().id}.corp.pulse.internal`, network] },
    { ip: ["fd00::1", "10.100.0.1"] },
    { ip: ["10.100.0.1", "10.100.0.1"] },
    { ip: Array.from({ length: 9 }, (_, i) => `10.100.0.${i}`) },
    { uri: ["pulse:role:root"] },
    { uri: ["pulse:role:exit", "pulse:role:exit"] },
    { uri: ["https://example.com"] },
    { uri: ["pulse:role:"] },
  ];
  for (const sans of bad) {
    const credentials = await ca.issue({ key, sans });
    assert.throws(() => validate(credentials), { code: "CERT_NAME" }, JSON.stringify(sans));
  }
  validate(await ca.issue({ key, sans: { ip: [] } }));
});

Deno.test("key usage, extended key usage and unknown critical extensions decide", async () => {
  await assertRefused("CERT_KEY_USAGE", { keyUsage: keyUsageBit.keyCertSign });
  await assertRefused("CERT_KEY_USAGE", {
    keyUsage: keyUsageBit.keyCertSign | keyUsageBit.digitalSignature,
  });
  await assertRefused("CERT_EKU", { eku: [] });
  await assertRefused("CERT_EKU", { eku: ["server"] });
  const unknown = extension("2a0304", true, derSequence());
  await assertRefused("CERT_EXTENSION", { extraExtensions: [unknown] });
  await assertRefused("CERT_MALFORMED", { extraExtensions: [unknown, unknown] });
  validate(await ca.issue({ extraExtensions: [extension("2a0304", false, derSequence())] }));
  const client = await ca.issue({ eku: ["client"] });
  validate(client, { usage: "client" });
  assert.throws(() => validate(client, { usage: "server" }), { code: "CERT_EKU" });
});

Deno.test("an expected node is the only one let through", async () => {
  const { certificate } = await ca.issue();
  const check = (expect: string) =>
    validateCertificate(certificate.der, ca.anchor, { now, expect });
  assert.equal(check(certificate.id).id, certificate.id);
  assert.throws(() => check(generateNodeKey().id), { code: "CERT_NAME" });
});

Deno.test("dates are inclusive to the millisecond, and can be left out to show an old certificate", async () => {
  const { certificate } = await ca.issue();
  const at = (time: number) => () => validateCertificate(certificate.der, ca.anchor, { now: time });
  at(certificate.notBefore)();
  at(certificate.notAfter)();
  assert.throws(at(certificate.notBefore - 1), { code: "CERT_NOT_YET_VALID" });
  assert.throws(at(certificate.notAfter + 1), { code: "CERT_EXPIRED" });
  validateCertificate(certificate.der, ca.anchor, { now: 0, ignoreDates: true });
});

Deno.test("when the CA certificate has expired, nothing it signed is valid", async () => {
  const old = await createTestCa("corp", { notAfter: now - 1000 });
  const { certificate } = await old.issue();
  assert.throws(() => validateCertificate(certificate.der, old.anchor, { now }), {
    code: "CERT_EXPIRED",
    message: /new CA/,
  });
});

Deno.test("an anchor that was copied to a Worker validates as the original does", async () => {
  const { certificate } = await ca.issue();
  const copy = structuredClone(ca.anchor);
  assert.equal(validateCertificate(certificate.der, copy, { now }).id, certificate.id);
});

Deno.test("the result does not change when the caller reuses its buffer", async () => {
  const { certificate } = await ca.issue();
  const buffer = certificate.der.slice();
  const result = validateCertificate(buffer, ca.anchor, { now });
  buffer.fill(0);
  assert.deepEqual(result, certificate);
});

Deno.test("no changed bit goes unnoticed", async () => {
  const { certificate } = await ca.issue();
  for (let i = 0; i < certificate.der.length; i++) {
    for (const bit of [1, 0x80]) {
      const changed = certificate.der.slice();
      changed[i]! ^= bit;
      assert.throws(() => validateCertificate(changed, ca.anchor, { now }), CertificateError);
    }
  }
});

Deno.test("truncated, extended, oversized and random input is refused as a certificate error", async () => {
  const { der } = (await ca.issue()).certificate;
  const check = (bytes: Uint8Array) =>
    assert.throws(() => validateCertificate(bytes, ca.anchor, { now }), CertificateError);
  for (let length = 0; length < der.length; length++) check(der.subarray(0, length));
  for (let extra = 1; extra < 4; extra++) {
    const longer = new Uint8Array(der.length + extra);
    longer.set(der);
    check(longer);
  }
  check(new Uint8Array(4097));
  fc.assert(fc.property(fc.uint8Array({ maxLength: 600 }), check), { numRuns: 1000 });
  // Random bytes written over a genuine certificate get deeper into the parser than random bytes alone.
  const patch = fc.tuple(fc.nat(der.length - 1), fc.uint8Array({ minLength: 1, maxLength: 8 }));
  fc.assert(
    fc.property(fc.array(patch, { minLength: 1, maxLength: 5 }), (patches) => {
      const changed = der.slice();
      for (const [at, bytes] of patches) changed.set(bytes.slice(0, der.length - at), at);
      if (changed.toHex() !== der.toHex()) check(changed);
    }),
    { numRuns: 1000 },
  );
});

Deno.test("during a roll the certificates of two CAs with one name count, and of a retired one it is said so", async () => {
  const next = await createTestCa("corp");
  const certificates = [await ca.issue(), await next.issue()].map(({ certificate }) => certificate);
  const both = { anchors: [next.anchor, ca.anchor], retired: [] };
  for (const certificate of certificates) {
    assert.equal(validateCertificate(certificate.der, both, { now }).issuer, certificate.issuer);
  }
  const finished = { anchors: [next.anchor], retired: [ca.anchor] };
  const [old, fresh] = certificates;
  assert.equal(validateCertificate(fresh!.der, finished, { now }).issuer, next.anchor.fingerprint);
  assert.throws(() => validateCertificate(old!.der, finished, { now }), { code: "CERT_RETIRED" });
  const { certificate: stranger } = await (await createTestCa("corp")).issue();
  assert.throws(() => validateCertificate(stranger.der, finished, { now }), {
    code: "CERT_SIGNATURE",
  });
});

import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import fc from "fast-check";
import { buildCertificate, commonName, randomSerial } from "./certificate_builder.ts";
import { basicConstraints, extension, keyUsage, keyUsageBit } from "./certificate_extensions.ts";
import { derSequence } from "./der_writer.ts";
import { CertificateError } from "./errors.ts";
import { generateNodeKey } from "./node_key.ts";
import { derToPem } from "./pem.ts";
import { createTestCa } from "./testing.ts";
import { parseTrustAnchor, trustAnchorFromDer } from "./trust_anchor.ts";

const ca = await createTestCa();

function selfSigned(change: {
  extensions?: Uint8Array[];
  issuer?: Uint8Array;
  signer?: ReturnType<typeof generateNodeKey>;
}): Uint8Array {
  const key = generateNodeKey();
  return buildCertificate({
    serial: randomSerial(),
    issuer: change.issuer ?? commonName("pulse-ca"),
    subject: commonName("pulse-ca"),
    notBefore: 0,
    notAfter: Date.UTC(2040, 0),
    publicKey: key.publicKey,
    extensions: change.extensions ?? [basicConstraints(true), keyUsage(keyUsageBit.keyCertSign)],
  }, (message) => (change.signer ?? key).sign(message));
}

Deno.test("a CA's own certificate is a trust anchor", () => {
  const anchor = parseTrustAnchor(ca.anchorPem);
  assert.deepEqual(anchor, ca.anchor);
  assert.deepEqual(anchor.publicKey, ca.key.publicKey);
  trustAnchorFromDer(selfSigned({}));
});

Deno.test("anything else is not a trust anchor", async () => {
  const sign = keyUsage(keyUsageBit.keyCertSign);
  const bad: Record<string, Uint8Array> = {
    "a node certificate": (await ca.issue()).certificate.der,
    "not self-signed": selfSigned({ issuer: commonName("other") }),
    "another key's signature": selfSigned({ signer: generateNodeKey() }),
    "CA:FALSE": selfSigned({ extensions: [basicConstraints(false), sign] }),
    "no basicConstraints": selfSigned({ extensions: [sign] }),
    "no keyCertSign": selfSigned({
      extensions: [basicConstraints(true), keyUsage(keyUsageBit.crlSign)],
    }),
    "no key usage": selfSigned({ extensions: [basicConstraints(true)] }),
    "unknown critical extension": selfSigned({
      extensions: [basicConstraints(true), sign, extension("2a0304", true, derSequence())],
    }),
  };
  for (const [name, der] of Object.entries(bad)) {
    assert.throws(() => trustAnchorFromDer(der), { code: "CERT_ANCHOR" }, name);
  }
});

Deno.test("damaged anchors are refused as certificate errors", () => {
  assert.throws(() => parseTrustAnchor(""), { code: "CERT_MALFORMED" });
  const { privateKey } = generateKeyPairSync("ed25519");
  const pem = String(privateKey.export({ type: "pkcs8", format: "pem" }));
  assert.throws(() => parseTrustAnchor(pem), { code: "CERT_MALFORMED" });
  for (let length = 0; length < ca.anchor.der.length; length++) {
    const pem = derToPem(ca.anchor.der.subarray(0, length));
    assert.throws(() => parseTrustAnchor(pem), CertificateError);
  }
  fc.assert(fc.property(fc.nat(ca.anchor.der.length - 1), fc.nat(7), (at, bit) => {
    const changed = ca.anchor.der.slice();
    changed[at]! ^= 1 << bit;
    assert.throws(() => trustAnchorFromDer(changed), CertificateError);
  }));
});

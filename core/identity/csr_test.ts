import assert from "node:assert/strict";
import fc from "fast-check";
import { createCsr, verifyCsr } from "./csr.ts";
import { CertificateError } from "./errors.ts";
import { generateNodeKey } from "./node_key.ts";

Deno.test("a request proves the key and names the node and its network", async () => {
  const key = generateNodeKey();
  const request = verifyCsr(await createCsr(key, "corp"));
  assert.deepEqual(request, { id: key.id, network: "corp", publicKey: key.publicKey });
});

Deno.test("no changed bit in a request goes unnoticed", async () => {
  const der = await createCsr(generateNodeKey(), "corp");
  for (let i = 0; i < der.length * 8; i++) {
    const changed = der.slice();
    changed[i >> 3]! ^= 1 << (i & 7);
    assert.throws(() => verifyCsr(changed), { name: "CertificateError", code: "CERT_REQUEST" });
  }
});

Deno.test("a request for a key its writer does not hold is refused", async () => {
  const victim = generateNodeKey();
  const thief = generateNodeKey();
  const stolen = await createCsr(
    {
      id: victim.id,
      publicKey: victim.publicKey,
      privateKeyPem: "",
      sign: (message) => thief.sign(message),
    },
    "corp",
  );
  assert.throws(() => verifyCsr(stolen), { code: "CERT_REQUEST", message: /signature/ });
});

Deno.test("truncated, extended and random requests are refused", async () => {
  const der = await createCsr(generateNodeKey(), "corp");
  const check = (bytes: Uint8Array) => assert.throws(() => verifyCsr(bytes), CertificateError);
  for (let length = 0; length < der.length; length++) check(der.subarray(0, length));
  const longer = new Uint8Array(der.length + 1);
  longer.set(der);
  check(longer);
  check(new Uint8Array(2049));
  fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), check));
});

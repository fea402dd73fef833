import assert from "node:assert/strict";
import {
  createCsr,
  derToPem,
  generateNodeKey,
  parseTrustAnchor,
  pemToDer,
  validateCertificate,
} from "../../core/identity/mod.ts";
import { signCsr } from "./sign_csr.ts";
import { openTestDesk, testNetwork } from "./testing.ts";

const now = Date.now();

async function requestPem(network = testNetwork): Promise<string> {
  return derToPem(await createCsr(generateNodeKey(), network), "CERTIFICATE REQUEST");
}

Deno.test("a request is signed offline while the CA is running, and the CA knows about it", async () => {
  await using ca = await openTestDesk({ meshCidr: "10.100.0.0/30" });
  const options = { now, roles: ["exit"] as const, meshCidr: "10.100.0.0/30" };
  const result = await signCsr(ca.directory, await requestPem(), options);
  const anchor = parseTrustAnchor(result.anchorPem);
  assert.equal(anchor.fingerprint, ca.authority.anchor.fingerprint);
  const offline = validateCertificate(pemToDer(result.certificatePem), anchor, { now });
  assert.deepEqual(offline.roles, ["exit"]);
  // Two hosts in a /30: the address given offline is taken for the running CA.
  const joined = await ca.join(ca.token());
  const other = validateCertificate(pemToDer(joined.certificatePem), anchor, { now: Date.now() });
  assert.notEqual(other.meshAddresses[0], offline.meshAddresses[0]);
  assert.equal(
    ca.ledger.audit.list(5).find((entry) => entry.fields["kind"] === "offline")?.type,
    "certificate_issued",
  );
  assert.equal(ca.ledger.audit.verify().brokenAt, null);
});

Deno.test("signing does not make a CA where there is none", async () => {
  const directory = await Deno.makeTempDir({ prefix: "pulse-no-ca-" });
  try {
    await assert.rejects(signCsr(directory, await requestPem(), { now }), { code: "CA_MISSING" });
    assert.deepEqual(await Array.fromAsync(Deno.readDir(directory)), []);
  } finally {
    await Deno.remove(directory);
  }
});

Deno.test("requests that are damaged, of another network or for revoked nodes are not signed", async () => {
  await using ca = await openTestDesk();
  const pem = await requestPem();
  const sign = (text: string) => signCsr(ca.directory, text, { now });
  await assert.rejects(sign(""), { code: "CERT_MALFORMED" });
  await assert.rejects(sign(pem.slice(0, 100)), { code: "CERT_MALFORMED" });
  await assert.rejects(sign(generateNodeKey().privateKeyPem), { code: "CERT_MALFORMED" });
  await assert.rejects(sign(await requestPem("home")), { code: "CA_NETWORK" });
  const key = generateNodeKey();
  ca.ledger.revokeNode(key.id, "", now);
  const revoked = derToPem(await createCsr(key, testNetwork), "CERTIFICATE REQUEST");
  await assert.rejects(sign(revoked), { message: "node has been revoked" });
});

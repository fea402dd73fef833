import assert from "node:assert/strict";
import { makeRecord } from "../../core/gossip/testing.ts";
import { headSignature, signedMessage, signingPrefix } from "../../core/gossip/record.ts";
import { SharedFacts } from "./facts.ts";
import { SimCa, wallClock } from "./sim_ca.ts";

function scene() {
  const ca = new SimCa("facts");
  const facts = new SharedFacts(ca.anchor, ca.network, wallClock);
  return { ca, facts, node: ca.issue("a") };
}

Deno.test("keys and certificates follow from the seed, byte for byte", () => {
  const again = new SimCa("facts").issue("a");
  const { node } = scene();
  assert.deepEqual(again.certificate, node.certificate);
  assert.notEqual(new SimCa("other").issue("a").certificate.id, node.certificate.id);
});

Deno.test("a signature is checked once, a forgery never gets the genuine one's answer", () => {
  const { facts, node } = scene();
  const { head } = makeRecord(node);
  const message = signedMessage(signingPrefix(node.certificate.network), head.bytes);
  const { publicKey } = node.certificate;
  const check = (m: Uint8Array, s: Uint8Array) => facts.verifySignature(publicKey, m, s);
  assert.equal(check(message, headSignature(head)), true);
  assert.equal(check(message, headSignature(head)), true);
  assert.equal(facts.verified, 1);
  for (const at of [0, 40, message.length - 1]) {
    const forged = message.slice();
    forged[at]! ^= 1;
    assert.equal(check(forged, headSignature(head)), false);
    assert.equal(check(forged, headSignature(head)), false);
  }
  const signature = headSignature(head).slice();
  signature[63]! ^= 1;
  assert.equal(check(message, signature), false);
  assert.equal(facts.verified, 5);
});

Deno.test("a refused certificate is refused again", () => {
  const { facts } = scene();
  const stranger = new SimCa("foreign", "sim").issue("b");
  for (let i = 0; i < 2; i++) {
    assert.throws(() => facts.verifyCertificate(stranger.certificate.der), {
      code: "CERT_SIGNATURE",
    });
  }
});

Deno.test("only what a node signed, in the words it signed, is genuine", () => {
  const { facts, node } = scene();
  const { id } = node.certificate;
  const sign = facts.witness(id, (message) => node.key.sign(message));
  const key = { ...node.key, id, publicKey: node.key.publicKey, sign };
  const said = makeRecord({ ...node, key }, { sequence: 5, report: { version: "1" } });
  const other = makeRecord(node, { sequence: 6, report: { version: "2" } });
  const { report } = facts.readContent(said.content, id);
  assert.equal(facts.isGenuine(id, 5, report), true);
  assert.equal(facts.isGenuine(id, 6, report), false);
  assert.equal(facts.isGenuine(id, 5, facts.readContent(other.content, id).report), false);
});

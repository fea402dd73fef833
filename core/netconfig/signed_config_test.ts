import assert from "node:assert/strict";
import { ConfigStore } from "./config_store.ts";
import { verifyGrant } from "./grant.ts";
import { verifySignedConfig } from "./signed_config.ts";
import { testAuthority, testNetwork, writeConfig } from "./testing.ts";

const authority = await testAuthority();
const trust = { network: testNetwork, anchors: [authority.ca.anchor] };
const scribe = await authority.issue();
const grant = authority.grant(3, scribe.key.id);

function code(bytes: Uint8Array, options = trust): string {
  try {
    verifySignedConfig(bytes, options);
    return "taken";
  } catch (error) {
    return String((error as { code?: string }).code);
  }
}

Deno.test("a config signed by the granted scribe is taken, and its bytes are kept as they came", () => {
  const written = writeConfig(scribe, grant, 7);
  const config = verifySignedConfig(written.bytes, trust);
  assert.deepEqual([config.document.epoch, config.document.version], [3, 7]);
  assert.equal(config.hash, written.hash);
  assert.deepEqual(config.bytes, written.bytes);
});

Deno.test("a certificate that has expired since still vouches for what it signed", async () => {
  const old = await authority.ca.issue({
    key: scribe.key,
    notBefore: Date.now() - 2_000_000_000,
    notAfter: Date.now() - 1_000_000_000,
  });
  assert.equal(code(writeConfig(old, grant, 1).bytes), "taken");
});

Deno.test("nobody else can sign: not another member, not another CA's node, not in another's name", async () => {
  const other = await authority.issue();
  const foreign = await authority.ca.forge.foreignCa();
  const asScribe = { document: { author: scribe.key.id } };
  assert.equal(code(writeConfig(other, grant, 1).bytes), "NETCONFIG_AUTHOR");
  assert.equal(code(writeConfig(other, grant, 1, asScribe).bytes), "NETCONFIG_AUTHOR");
  assert.equal(code(writeConfig(foreign, grant, 1).bytes), "NETCONFIG_CERTIFICATE");
  const stolen = { ...asScribe, certificate: scribe.certificate };
  assert.equal(code(writeConfig(other, grant, 1, stolen).bytes), "NETCONFIG_SIGNATURE");
  const swapped = { document: { author: other.key.id } };
  assert.equal(code(writeConfig(scribe, grant, 1, swapped).bytes), "NETCONFIG_AUTHOR");
  assert.equal(code(writeConfig(scribe, authority.grant(3, null), 1).bytes), "NETCONFIG_AUTHOR");
});

Deno.test("a grant of another CA, and one of another network, are worth nothing", async () => {
  const elsewhere = await testAuthority();
  const foreign = elsewhere.grant(3, scribe.key.id);
  assert.equal(code(writeConfig(scribe, foreign, 1).bytes), "NETCONFIG_GRANT");
  const otherNetwork = await testAuthority("other");
  const options = { network: testNetwork, anchors: [otherNetwork.ca.anchor] };
  assert.throws(() => verifyGrant(otherNetwork.grant(1, null).bytes, options), {
    code: "NETCONFIG_NETWORK",
  });
});

Deno.test("epoch and network of the document are those of the grant", () => {
  const epoch = writeConfig(scribe, grant, 1, { document: { epoch: 4 } });
  assert.equal(code(epoch.bytes), "NETCONFIG_EPOCH");
  const network = writeConfig(scribe, grant, 1, { document: { network: "other" } });
  assert.equal(code(network.bytes), "NETCONFIG_NETWORK");
});

Deno.test("a second CA is trusted beside the first while both are named", async () => {
  const next = await testAuthority();
  const both = { network: testNetwork, anchors: [authority.ca.anchor, next.ca.anchor] };
  const renewed = await next.ca.issue({ key: scribe.key });
  const granted = next.grant(4, scribe.key.id);
  assert.equal(code(writeConfig(renewed, granted, 1).bytes, both), "taken");
  assert.equal(code(writeConfig(renewed, grant, 1).bytes, both), "taken");
  assert.equal(code(writeConfig(renewed, granted, 1).bytes), "NETCONFIG_GRANT");
});

Deno.test("a changed, missing or added byte anywhere is refused", () => {
  const { bytes } = writeConfig(scribe, grant, 1, { note: "n" });
  for (let at = 0; at < bytes.length; at += 3) {
    const changed = bytes.slice();
    changed[at] = changed[at]! ^ 0x10;
    assert.notEqual(code(changed), "taken", `byte ${at}`);
  }
  for (const length of [0, 1, 10, bytes.length - 1]) {
    assert.equal(code(bytes.subarray(0, length)), "NETCONFIG_MALFORMED");
  }
  assert.equal(code(new Uint8Array([...bytes, 0])), "NETCONFIG_MALFORMED");
});

Deno.test("a config of a retired CA's scribe holds when a grant of the new CA vouches for it, and no other does", async () => {
  const next = await testAuthority();
  const { bytes, hash } = writeConfig(scribe, grant, 7);
  const rolled = {
    network: testNetwork,
    anchors: [next.ca.anchor],
    retired: [authority.ca.anchor],
  };
  assert.equal(code(bytes, rolled), "NETCONFIG_RETIRED");
  const vouched = verifySignedConfig(bytes, rolled, hash);
  assert.deepEqual([vouched.grant, vouched.hash], [null, hash]);
  const other = writeConfig(scribe, grant, 8);
  assert.throws(() => verifySignedConfig(other.bytes, rolled, hash), { code: "NETCONFIG_RETIRED" });
  const store = new ConfigStore({ self: scribe.key.id, trust: () => rolled });
  store.offerGrant(next.grant(4, scribe.key.id, { epoch: 3, version: 7, hash }).bytes);
  assert.equal(store.offer(other.bytes).error?.code, "NETCONFIG_RETIRED");
  assert.equal(store.state.refused, null, "somebody has not heard of the roll yet");
  assert.equal(store.offer(bytes).config, true);
  assert.equal(store.state.grant?.grant.epoch, 4);
});

import assert from "node:assert/strict";
import {
  generateJoinToken,
  generateNodeKey,
  joinTokenId,
  joinTokenKey,
} from "../../core/identity/mod.ts";
import { emptyBody, sealKey, type TokenEntry, verifyGrant } from "../../core/netconfig/mod.ts";
import { Ledger } from "./ledger.ts";
import { openSealKey, sealKeyFile } from "./seal_key.ts";
import { openTestDesk, type TestDesk, testNetwork } from "./testing.ts";

const now = () => Date.now();
const basis = { epoch: 0, version: 0, hash: "", grantEpoch: 0, sealKey: "ab".repeat(32) };
const hash = "cd".repeat(32);

async function sealing(ca: TestDesk) {
  const key = await openSealKey(`${ca.directory}/${sealKeyFile}`);
  const entry = (token: string, more: Partial<TokenEntry> = {}): TokenEntry => ({
    id: joinTokenId(token),
    sealedKey: sealKey(
      joinTokenKey(token),
      Uint8Array.fromHex(key.publicKey),
      crypto.getRandomValues(new Uint8Array(32)),
    ).toBase64(),
    createdAt: now(),
    expiresAt: null,
    maxUses: 1,
    roles: [],
    tags: [],
    name: null,
    ephemeralMs: null,
    ...more,
  });
  const follow = (version: number, body: Partial<typeof emptyBody>, ledger = ca.ledger) =>
    ledger.followConfig(
      { epoch: 1, version, self: "0".repeat(32), body: { ...emptyBody, ...body } },
      ({ sealedKey }) => key.open(Uint8Array.fromBase64(sealedKey)),
      now(),
    );
  return { key, entry, follow };
}

Deno.test("the sealing key is made once and is its owner's alone", async () => {
  await using ca = await openTestDesk();
  const { key } = await sealing(ca);
  const again = await openSealKey(`${ca.directory}/${sealKeyFile}`);
  assert.equal(again.publicKey, key.publicKey);
  assert.equal((await Deno.stat(`${ca.directory}/${sealKeyFile}`)).mode! & 0o777, 0o600);
  await Deno.writeTextFile(`${ca.directory}/${sealKeyFile}`, "garbage");
  await assert.rejects(openSealKey(`${ca.directory}/${sealKeyFile}`), { code: "CA_SEAL_KEY" });
});

Deno.test("each grant has the next epoch, is the CA's, and rests on the config in force", async () => {
  await using ca = await openTestDesk();
  const [a, b] = [generateNodeKey().id, generateNodeKey().id];
  const trust = { network: testNetwork, anchors: [ca.authority.anchor] };
  const first = verifyGrant(ca.ledger.grantScribe(a, basis, now()).bytes, trust).grant;
  assert.deepEqual([first.epoch, first.scribe, first.base], [1, a, null]);
  const second = ca.ledger.grantScribe(b, { ...basis, epoch: 1, version: 7, hash }, now());
  const { grant } = verifyGrant(second.bytes, trust);
  assert.deepEqual([grant.epoch, grant.base], [2, { epoch: 1, version: 7, hash }]);
  assert.equal(ca.ledger.grantScribe(null, basis, now()).epoch, 3);
  const ahead = ca.ledger.grantScribe(a, { ...basis, grantEpoch: 9 }, now());
  assert.equal(ahead.epoch, 10, "a restored ledger gives no epoch out twice");
  assert.equal(ca.ledger.audit.list(1)[0]?.type, "scribe_granted");
  assert.equal(ca.ledger.audit.verify().brokenAt, null);
});

Deno.test("the first node that joined with the master token is granted the role; later ones are told who has it", async () => {
  await using ca = await openTestDesk();
  const master = generateJoinToken();
  ca.ledger.setMasterToken({ id: joinTokenId(master), macKey: joinTokenKey(master) }, now());
  const keys = [generateNodeKey(), generateNodeKey(), generateNodeKey()] as const;
  await ca.join(ca.token(), { key: keys[0] });
  await ca.join(master, { key: keys[1] });
  await ca.join(master, { key: keys[2] });
  const ask = (i: 0 | 1 | 2) => ca.ledger.requestScribe(keys[i].id, basis, now());
  assert.throws(() => ask(0), /did not join with the master token/);
  assert.equal(ask(1).epoch, 1);
  assert.equal(ask(1).epoch, 1, "asking again is answered with the same grant");
  assert.throws(() => ask(2), new RegExp(`node ${keys[1].id} is the scribe`));
  ca.ledger.grantScribe(null, basis, now());
  assert.throws(() => ask(1), /taken away/);
  assert.ok(ca.ledger.audit.list(20).some(({ type }) => type === "scribe_refused"));
});

Deno.test("a ledger without grants does not grant a role that the mesh has seen given", async () => {
  await using ca = await openTestDesk();
  const master = generateJoinToken();
  ca.ledger.setMasterToken({ id: joinTokenId(master), macKey: joinTokenKey(master) }, now());
  const key = generateNodeKey();
  await ca.join(master, { key });
  assert.throws(() => ca.ledger.requestScribe(key.id, { ...basis, grantEpoch: 2 }, now()));
});

Deno.test("a token of the network config is good for as many joins as it says, counted here", async () => {
  await using ca = await openTestDesk();
  const { entry, follow } = await sealing(ca);
  const token = generateJoinToken();
  const role = entry(token, { roles: ["exit", "ca"] });
  assert.deepEqual(follow(1, { tokens: [role] })?.added, [role.id]);
  const attempts = await Promise.allSettled(
    Array.from({ length: 10 }, () => ca.join(token)),
  );
  assert.equal(attempts.filter(({ status }) => status === "fulfilled").length, 1);
  follow(2, { tokens: [role], revoked: [] });
  await assert.rejects(ca.join(token), /already used/, "the count is kept");
  follow(3, { tokens: [{ ...role, maxUses: 2 }] });
  const key = generateNodeKey();
  await ca.join(token, { key });
  assert.deepEqual(ca.ledger.nodes.roles(key.id), ["exit"], "never the role ca");
  const notices = ca.ledger.outbox.list(10);
  assert.deepEqual(notices.map((notice) => notice.token), [role.id, role.id]);
  assert.equal(notices[1]?.node, key.id);
});

Deno.test("a token that leaves the config is withdrawn, and good again when it returns", async () => {
  await using ca = await openTestDesk();
  const { entry, follow } = await sealing(ca);
  const [used, unused] = [generateJoinToken(), generateJoinToken()];
  const tokens = [entry(used, { maxUses: 0 }), entry(unused, { maxUses: 0 })];
  follow(1, { tokens });
  await ca.join(used);
  assert.equal(follow(2, {})?.gone.length, 2);
  await assert.rejects(ca.join(used), /token has been revoked/);
  await assert.rejects(ca.join(unused), { code: "JOIN_TOKEN_INVALID" });
  follow(3, { tokens });
  await ca.join(used);
  await ca.join(unused);
  ca.ledger.revokeToken(tokens[0]!.id, now());
  follow(4, {});
  follow(5, { tokens });
  await assert.rejects(ca.join(used), /token has been revoked/, "withdrawn at the CA itself");
});

Deno.test("a token sealed to another CA and one that shadows the CA's own are left alone", async () => {
  await using ca = await openTestDesk();
  await using other = await openTestDesk();
  const { entry, follow } = await sealing(ca);
  const foreign = (await sealing(other)).entry(generateJoinToken());
  const own = ca.token({ maxUses: 1 });
  const changes = follow(1, { tokens: [foreign, entry(own, { maxUses: 50 })] });
  assert.deepEqual(changes?.skipped, [foreign.id, joinTokenId(own)]);
  await ca.join(own);
  await assert.rejects(ca.join(own), /already used/);
  follow(2, {});
  assert.equal(ca.ledger.tokens.find(joinTokenId(own), now())?.status, "used");
});

Deno.test("revocations of the config hold at the CA across a restart, and undoing them undoes no other", async () => {
  await using ca = await openTestDesk();
  const { follow } = await sealing(ca);
  const token = ca.token({ maxUses: 0 });
  const [lost, gone] = [generateNodeKey(), generateNodeKey()];
  await ca.join(token, { key: lost });
  ca.ledger.revokeNode(gone.id, "by the operator", now());
  const revoked = [lost, gone].map(({ id }) => ({ node: id, at: 5, reason: "lost" }));
  follow(1, { revoked });
  const refused = { message: /revoked/ };
  await assert.rejects(ca.join(token, { key: lost }), refused);
  assert.equal(ca.ledger.nodes.list(5).find(({ id }) => id === lost.id)?.revoked?.reason, "lost");
  {
    using again = Ledger.open(`${ca.directory}/ledger.db`, ca.authority, {
      network: testNetwork,
      meshCidr: "10.100.0.0/16",
      days: 90,
    }, now());
    assert.equal(again.nodes.isRevoked(lost.id), true);
  }
  follow(2, {});
  await ca.join(token, { key: lost });
  await assert.rejects(ca.join(token, { key: gone }), refused);
});

Deno.test("a config older than one that was followed changes nothing, nor does none at all", async () => {
  await using ca = await openTestDesk();
  const { follow } = await sealing(ca);
  const revoked = [{ node: "1".repeat(32), at: 5, reason: "" }];
  follow(4, { revoked });
  assert.equal(follow(3, {}), undefined);
  assert.equal(follow(0, {}), undefined);
  assert.equal(ca.ledger.nodes.isRevoked("1".repeat(32)), true);
});

Deno.test("a CA does not refuse its own node, whatever the config says", async () => {
  await using ca = await openTestDesk();
  const { follow } = await sealing(ca);
  follow(1, { revoked: [{ node: "0".repeat(32), at: 5, reason: "" }] });
  assert.equal(ca.ledger.nodes.isRevoked("0".repeat(32)), false);
});

Deno.test("the range of addresses is the settings' until the config says one, across restarts, and grants name it", async () => {
  await using ca = await openTestDesk({ meshCidr: "10.7.1.1/16" });
  const { follow } = await sealing(ca);
  const trust = { network: testNetwork, anchors: [ca.authority.anchor] };
  const named = () => verifyGrant(ca.ledger.grantScribe(null, basis, now()).bytes, trust).grant;
  assert.equal(named().meshCidr, "10.7.0.0/16");
  follow(1, { meshCidr: "10.7.0.0/16" });
  assert.notEqual(ca.ledger.audit.list(1)[0]?.type, "config_followed");
  follow(2, { meshCidr: "10.9.0.0/16" });
  const [entry] = ca.ledger.audit.list(1);
  assert.deepEqual([entry?.type, entry?.fields["meshCidr"]], ["config_followed", "10.9.0.0/16"]);
  assert.equal(named().meshCidr, "10.9.0.0/16");
  using again = Ledger.open(`${ca.directory}/ledger.db`, ca.authority, {
    network: testNetwork,
    meshCidr: "10.7.1.1/16",
    days: 90,
  }, now());
  assert.equal(again.meshCidr, "10.9.0.0/16");
});

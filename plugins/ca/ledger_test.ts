import assert from "node:assert/strict";
import { createCsr, generateNodeKey, joinTokenId, joinTokenKey } from "../../core/identity/mod.ts";
import { createTestCa } from "../../core/identity/testing.ts";
import { validateCertificate } from "../../core/identity/mod.ts";
import { Ledger } from "./ledger.ts";
import { grantFor, openTestDesk, type TestDesk, testNetwork } from "./testing.ts";

const day = 86_400_000;
const settings = { network: testNetwork, meshCidr: "10.100.0.0/16", days: 90 };

function read(ca: TestDesk, der: Uint8Array) {
  const { anchor } = ca.authority;
  return validateCertificate(der, anchor, { now: Date.now(), ignoreDates: true });
}

Deno.test("what the ledger promised it still knows after it was closed and opened", async () => {
  await using ca = await openTestDesk();
  const token = ca.token();
  const key = generateNodeKey();
  const grant = await grantFor(key, token);
  const der = ca.ledger.join(grant, Date.now());
  const path = `${ca.directory}/ledger.db`;
  using again = Ledger.open(path, ca.authority, settings, Date.now());
  assert.deepEqual(again.join(grant, Date.now()), der);
  const other = await grantFor(generateNodeKey(), token);
  assert.throws(() => again.join(other, Date.now()), { message: "token already used" });
});

Deno.test("the ledger holds no token, and only its owner can read it", async () => {
  await using ca = await openTestDesk();
  const token = ca.token();
  await ca.join(token);
  for await (const entry of Deno.readDir(ca.directory)) {
    const path = `${ca.directory}/${entry.name}`;
    const text = new TextDecoder("latin1").decode(await Deno.readFile(path));
    assert.ok(!text.includes(token), entry.name);
    if (entry.name !== "ca.crt") {
      assert.equal((await Deno.stat(path)).mode! & 0o077, 0, entry.name);
    }
  }
});

Deno.test("a token has as many uses as it was given, whoever uses them", async () => {
  await using ca = await openTestDesk();
  const token = ca.token({ maxUses: 3 });
  for (let i = 0; i < 3; i++) ca.ledger.join(await grantFor(generateNodeKey(), token), Date.now());
  const fourth = await grantFor(generateNodeKey(), token);
  assert.throws(() => ca.ledger.join(fourth, Date.now()), { message: "token already used" });
  assert.equal(ca.ledger.tokens.find(joinTokenId(token), Date.now())?.status, "used");
});

Deno.test("a use is not spent when the request turns out to be bad", async () => {
  await using ca = await openTestDesk();
  const token = ca.token();
  const grant = await grantFor(generateNodeKey(), token);
  const csr = await createCsr(generateNodeKey(), testNetwork);
  assert.throws(() => ca.ledger.join({ ...grant, csr }, Date.now()), { code: "CA_REFUSED" });
  assert.equal(ca.ledger.tokens.find(joinTokenId(token), Date.now())?.uses, 0);
  ca.ledger.join(grant, Date.now());
});

Deno.test("when the repeated certificate is nearly over, a token with uses left gives a new one", async () => {
  await using ca = await openTestDesk();
  const token = ca.token({ maxUses: 2 });
  const grant = await grantFor(generateNodeKey(), token);
  const now = Date.now();
  const first = ca.ledger.join(grant, now);
  assert.deepEqual(ca.ledger.join(grant, now + 80 * day), first);
  const second = ca.ledger.join(grant, now + 85 * day);
  assert.notDeepEqual(second, first);
  assert.deepEqual(ca.ledger.join(grant, now + 86 * day), second);
  assert.deepEqual(ca.ledger.join(grant, now + 174 * day), second);
  assert.throws(() => ca.ledger.join(grant, now + 176 * day), { message: "token already used" });
});

Deno.test("nodes that wish for the same address get different ones and keep them", async () => {
  await using ca = await openTestDesk({ meshCidr: "10.0.0.0/29" });
  const token = ca.token({ maxUses: 0 });
  const grants = await Promise.all(
    Array.from({ length: 6 }, async () => await grantFor(generateNodeKey(), token)),
  );
  const now = Date.now();
  const address = (der: Uint8Array) => read(ca, der).meshAddresses[0]!;
  const given = grants.map((grant) => address(ca.ledger.join(grant, now)));
  assert.equal(new Set(given).size, 6);
  const seventh = await grantFor(generateNodeKey(), token);
  assert.throws(() => ca.ledger.join(seventh, now), { message: /all 6 addresses/ });
  // After expiry a node that comes back has its address, as long as nobody needed it.
  const later = now + 91 * day;
  assert.equal(address(ca.ledger.join(grants[2]!, later)), given[2]);
  assert.ok(given.includes(address(ca.ledger.join(seventh, later))));
});

Deno.test("a renewal keeps address and roles and starts a new life", async () => {
  await using ca = await openTestDesk();
  const key = generateNodeKey();
  const now = Date.now();
  const grant = await grantFor(key, ca.token({ roles: ["exit"] }));
  const current = read(ca, ca.ledger.join(grant, now));
  const renewed = read(ca, ca.ledger.renew(current, grant.csr, now + 61 * day));
  assert.deepEqual(renewed.meshAddresses, current.meshAddresses);
  assert.deepEqual(renewed.roles, ["exit"]);
  assert.notEqual(renewed.serial, current.serial);
  assert.ok(renewed.notAfter > current.notAfter);
  const [entry] = ca.ledger.audit.list(1);
  assert.equal(entry?.type, "certificate_renewed");
  assert.equal(entry?.fields["replaces"], current.serial);
  // The answer was lost: the node asks again and gets the same one.
  const again = ca.ledger.renew(current, grant.csr, now + 61 * day + 60_000);
  assert.deepEqual(new Uint8Array(again), new Uint8Array(renewed.der));
  const next = ca.ledger.renew(renewed, grant.csr, now + 62 * day);
  assert.notEqual(read(ca, next).serial, renewed.serial);
});

Deno.test("in another range a renewal brings another address, each one once", async () => {
  await using ca = await openTestDesk();
  const now = Date.now();
  const joined = await Promise.all([1, 2, 3].map(async () => {
    const grant = await grantFor(generateNodeKey(), ca.token());
    return { csr: grant.csr, certificate: read(ca, ca.ledger.join(grant, now)) };
  }));
  const body = { tokens: [], revoked: [], meshCidr: "10.9.0.0/29" };
  const config = { epoch: 1, version: 1, self: "0".repeat(32), body };
  ca.ledger.followConfig(config, () => undefined, now);
  const moved = joined.map(({ csr, certificate }) =>
    read(ca, ca.ledger.renew(certificate, csr, now + 1_000)).meshAddresses
  );
  assert.equal(new Set(moved.map(([ipv4]) => ipv4)).size, 3);
  for (const [n, [ipv4, ipv6]] of moved.entries()) {
    assert.match(ipv4!, /^10\.9\.0\.[1-6]$/);
    assert.equal(ipv6, joined[n]!.certificate.meshAddresses[1]);
  }
});

Deno.test("a renewal is refused to the revoked, the expired, strangers and other keys", async () => {
  await using ca = await openTestDesk();
  const key = generateNodeKey();
  const now = Date.now();
  const grant = await grantFor(key, ca.token());
  const current = read(ca, ca.ledger.join(grant, now));
  const renew = (origin: typeof current, csr = grant.csr, at = now + 10 * day) => () =>
    ca.ledger.renew(origin, csr, at);
  const foreign = await (await createTestCa(testNetwork)).issue({ key });
  assert.throws(renew(foreign.certificate), { code: "CA_REFUSED" });
  assert.throws(renew(current, grant.csr, now + 91 * day), { message: /expired/ });
  const otherKey = await createCsr(generateNodeKey(), testNetwork);
  assert.throws(renew(current, otherKey), { message: /another key/ });
  ca.ledger.revokeNode(key.id, "stolen", now);
  assert.throws(renew(current), { message: "node has been revoked" });
  const [entry] = ca.ledger.audit.list(1);
  assert.equal(entry?.type, "renewal_refused");
});

Deno.test("a CA restored from an old backup renews what it does not remember, address and roles included", async () => {
  await using ca = await openTestDesk();
  const key = generateNodeKey();
  const csr = await createCsr(key, testNetwork);
  const now = Date.now();
  const current = ca.authority.issue({
    csr,
    network: testNetwork,
    meshAddresses: ["10.100.7.7", "fd00::7"],
    roles: ["scribe"],
    now,
  });
  const renewed = read(ca, ca.ledger.renew(current, csr, now));
  assert.equal(renewed.meshAddresses[0], "10.100.7.7");
  assert.deepEqual(renewed.roles, ["scribe"]);
});

Deno.test("changed roles are in the next certificate, and the role of the CA itself is in no token's gift", async () => {
  await using ca = await openTestDesk();
  const key = generateNodeKey();
  const now = Date.now();
  assert.throws(() => ca.ledger.setRoles(key.id, ["exit"], now), { code: "CA_NODE_UNKNOWN" });
  const grant = await grantFor(key, ca.token({ roles: ["ca", "exit"] }));
  const current = read(ca, ca.ledger.join(grant, now));
  assert.deepEqual(current.roles, ["exit"]);
  ca.ledger.setRoles(key.id, ["relay-only"], now);
  assert.deepEqual(read(ca, ca.ledger.renew(current, grant.csr, now + 1)).roles, ["relay-only"]);
  const self = ca.ledger.issueLocally("self", grant.csr, ["ca", "scribe"], now);
  assert.deepEqual(self.roles, ["ca", "scribe"]);
  // Its roles carry over when it renews through the mesh.
  assert.deepEqual(read(ca, ca.ledger.renew(self, grant.csr, now + day)).roles, ["ca", "scribe"]);
});

Deno.test("tokens are named by id or a beginning that is theirs alone", async () => {
  await using ca = await openTestDesk();
  const now = Date.now();
  const add = (id: string) =>
    ca.ledger.createToken({
      id,
      macKey: new Uint8Array(32),
      roles: [],
      expiresAt: null,
      maxUses: 1,
    }, now);
  add("aa00000000000001");
  add("aa00000000000002");
  add("bb00000000000000");
  assert.throws(() => add("bb00000000000000"), { code: "TOKEN_EXISTS" });
  assert.throws(() => ca.ledger.revokeToken("aa", now), { code: "TOKEN_AMBIGUOUS" });
  for (const unknown of ["cc", "", "%", "bb00000000000000f", "BB", "b_"]) {
    assert.throws(() => ca.ledger.revokeToken(unknown, now), { code: "TOKEN_UNKNOWN" }, unknown);
  }
  assert.equal(ca.ledger.revokeToken("b", now).status, "revoked");
  assert.equal(ca.ledger.revokeToken("aa00000000000001", now).id, "aa00000000000001");
});

Deno.test("the token of the configuration can be changed and withdrawn there, and nowhere else", async () => {
  await using ca = await openTestDesk();
  const now = Date.now();
  const set = (token: string | null) =>
    ca.ledger.setMasterToken(
      token === null ? null : { id: joinTokenId(token), macKey: joinTokenKey(token) },
      now,
    );
  const [old, fresh] = ["the first master token", "the second master token"];
  set(old);
  set(old);
  const key = generateNodeKey();
  for (let i = 0; i < 3; i++) ca.ledger.join(await grantFor(generateNodeKey(), old), now);
  const der = ca.ledger.join(await grantFor(key, old), now);
  assert.throws(() => ca.ledger.revokeToken(joinTokenId(old), now), { code: "TOKEN_MASTER" });
  set(fresh);
  const late = await grantFor(generateNodeKey(), old);
  assert.throws(() => ca.ledger.join(late, now), { message: "join token has been revoked" });
  assert.deepEqual(ca.ledger.join(await grantFor(key, old), now), der);
  ca.ledger.join(await grantFor(generateNodeKey(), fresh), now);
  set(null);
  set(old);
  ca.ledger.join(late, now);
  const masters = ca.ledger.tokens.list(now).filter((token) => token.master);
  assert.deepEqual(masters.map((token) => token.id), [joinTokenId(old)]);
});

Deno.test("a directory belongs to one network", async () => {
  await using ca = await openTestDesk();
  const path = `${ca.directory}/ledger.db`;
  const other = { ...settings, network: "home" };
  assert.throws(() => Ledger.open(path, ca.authority, other, Date.now()), { code: "CA_NETWORK" });
});

Deno.test("a file that is not a ledger is refused and left alone", async () => {
  await using ca = await openTestDesk();
  const path = `${ca.directory}/other.db`;
  const text = "this is no database, ".repeat(100);
  await Deno.writeTextFile(path, text);
  assert.throws(() => Ledger.open(path, ca.authority, settings, Date.now()), {
    code: "CA_LEDGER_UNREADABLE",
    message: /Restore it from a backup/,
  });
  assert.equal(await Deno.readTextFile(path), text);
});

Deno.test("a flood of refusals is counted, not written down one by one", async () => {
  await using ca = await openTestDesk();
  const now = Date.now();
  const entries = () => ca.ledger.audit.list(1000).length;
  const before = entries();
  for (let i = 0; i < 1000; i++) ca.ledger.recordRefusal("join_refused", { reason: "no" }, now);
  assert.equal(entries() - before, 200);
  ca.ledger.recordRefusal("join_refused", { reason: "no" }, now + 60_000);
  assert.equal(ca.ledger.audit.list(1)[0]?.fields["suppressed"], 800);
});

import assert from "node:assert/strict";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import {
  createCsr,
  generateNodeKey,
  type JoinResult,
  joinTokenId,
  type NodeKey,
  parseTrustAnchor,
  pemToDer,
  validateCertificate,
} from "../../core/identity/mod.ts";
import { emptyBody, verifyGrant } from "../../core/netconfig/mod.ts";
import type { HostServices, Json } from "../../core/plugin/types.ts";
import { TrustStore, verifyRoll } from "../../core/trust/mod.ts";
import { openAuthorities } from "./authorities.ts";
import { authorityFiles, openAuthority } from "./authority.ts";
import { Granting } from "./granting.ts";
import { Ledger } from "./ledger.ts";
import { Rolling } from "./rolling.ts";
import { openSealKey, sealKeyFile } from "./seal_key.ts";
import { openTestDesk, type TestDesk, testNetwork } from "./testing.ts";

const now = () => Date.now();
const settings = { network: testNetwork, meshCidr: "10.100.0.0/16", days: 90 };
const hash = "cd".repeat(32);

function refuse(): never {
  throw new Error("a roll has no business here");
}

/** A CA with a mesh that is a few lines long: what its node believes, and who is in reach. */
async function rollingDesk(ca: TestDesk, ledger = ca.ledger) {
  const node = new TrustStore({ network: testNetwork, root: ca.authority.anchor });
  const reachable = new Map<string, string>();
  const grants: Uint8Array[] = [];
  const answers: { [call: string]: (argument: Json) => Json } = {
    "trust current": () => ({ serial: node.roll?.roll.serial ?? 0 }),
    "trust issuers": () => ({ nodes: Array.from(reachable, ([id, issuer]) => ({ id, issuer })) }),
    "trust adopt": (argument) => {
      const { error } = node.offer(bytesOf(argument, "roll"));
      if (error !== undefined) throw error;
      return null;
    },
    "netconfig current": () => ({
      epoch: 1,
      version: 7,
      hash,
      grantEpoch: 1,
      body: emptyBody as unknown as Json,
    }),
    "netconfig adoptGrant": (argument) => {
      grants.push(bytesOf(argument, "grant"));
      return null;
    },
  };
  const host: HostServices = {
    self: () =>
      Promise.resolve({
        id: "0".repeat(32),
        network: "",
        addresses: [],
        joined: true,
        caFingerprint: null,
      }),
    peers: refuse,
    resolveNode: refuse,
    openStream: refuse,
    emit: refuse,
    call: async (service, method, argument) =>
      await Promise.resolve(answers[`${service} ${method}`]!(argument)),
  };
  const sealKey = await openSealKey(join(ca.directory, sealKeyFile));
  const granting = new Granting({ ledger, sealKey, host, log: () => {}, now });
  const options = { directory: ca.directory, ledger, granting, host, log: () => {}, now };
  return { rolling: new Rolling(options), node, reachable, grants };
}

function bytesOf(argument: Json, key: string): Uint8Array {
  return Uint8Array.fromBase64(String((argument as { [key: string]: Json })[key]));
}

async function reopen(ca: TestDesk): Promise<Ledger> {
  const path = `${ca.directory}/ledger.db`;
  return Ledger.open(path, await openAuthorities(ca.directory, path, now()), settings, now());
}

const issuerOf = (result: JoinResult) => parseTrustAnchor(result.anchorPem).fingerprint;
const certificateOf = (result: JoinResult) =>
  validateCertificate(pemToDer(result.certificatePem), parseTrustAnchor(result.anchorPem), {
    now: now(),
  });

async function renewal(ca: TestDesk, key: NodeKey, result: JoinResult, ledger = ca.ledger) {
  const der = ledger.renew(certificateOf(result), await createCsr(key, testNetwork), now());
  return validateCertificate(der, ledger.authorities.trust, { now: now() });
}

Deno.test("after a roll has begun certificates are of the new CA, and the old ones are worth a renewal", async () => {
  await using ca = await openTestDesk();
  const { rolling, node, reachable } = await rollingDesk(ca);
  assert.deepEqual((await rolling.status()).stage, "none");
  const key = generateNodeKey();
  const member = await ca.join(ca.token(), { key });
  const status = await rolling.begin();
  const old = ca.authority.anchor.fingerprint;
  assert.deepEqual(
    { ...status, at: 0, ca: "" },
    {
      stage: "overlap",
      serial: 1,
      ca: "",
      previous: old,
      at: 0,
      renewed: 0,
      waiting: [],
      away: [key.id],
    },
  );
  assert.equal(node.newest.fingerprint, status.ca);
  assert.deepEqual((await rolling.begin()).ca, status.ca, "one roll at a time");

  const renewed = await renewal(ca, key, member);
  assert.equal(renewed.issuer, status.ca);
  assert.deepEqual(renewed.meshAddresses, certificateOf(member).meshAddresses);
  assert.equal((await renewal(ca, key, member)).serial, renewed.serial, "an answer that was lost");
  const after = await rolling.status();
  assert.deepEqual([after.renewed, after.away], [1, []]);
  // In reach it is what it shows that counts, not what it was given.
  reachable.set(key.id, old);
  assert.deepEqual((await rolling.status()).waiting, [key.id]);
  assert.deepEqual(
    ca.ledger.audit.list(9).map(({ type }) => type).filter((type) => type.startsWith("ca_roll")),
    ["ca_roll_started"],
  );
});

Deno.test("an invite from before the roll works while both CAs count; afterwards the CA says that it was replaced", async () => {
  await using ca = await openTestDesk();
  const { rolling } = await rollingDesk(ca);
  const old = ca.authority.anchor.fingerprint;
  const before = ca.token({ maxUses: 3 });
  const { ca: next } = await rolling.begin();
  const fresh = ca.token({ maxUses: 3 });
  assert.equal(issuerOf(await ca.join(before, { caFingerprint: old })), old);
  assert.equal(issuerOf(await ca.join(fresh, { caFingerprint: next })), next);
  assert.equal(issuerOf(await ca.join(fresh)), next);
  const expired = ca.authority.anchor.notAfter;
  assert.equal(ca.ledger.anchorFor(joinTokenId(before), expired).fingerprint, next);
  await rolling.finish(false);
  await assert.rejects(ca.join(before, { caFingerprint: old }), {
    code: "JOIN_CA_MISMATCH",
    message: /replaced.*new invite/,
  });
  assert.equal(issuerOf(await ca.join(before)), next, "without a fingerprint the token is proof");
});

Deno.test("the same key is never told a certificate of a CA it was not shown", async () => {
  await using ca = await openTestDesk();
  const { rolling } = await rollingDesk(ca);
  const [once, often] = [ca.token(), ca.token({ maxUses: 0 })];
  const [a, b] = [generateNodeKey(), generateNodeKey()];
  const first = await ca.join(once, { key: a });
  await ca.join(often, { key: b });
  const { ca: next } = await rolling.begin();
  assert.equal((await ca.join(once, { key: a })).certificatePem, first.certificatePem);
  await rolling.finish(true);
  await assert.rejects(ca.join(once, { key: a }), /already used/);
  assert.equal(issuerOf(await ca.join(often, { key: b })), next);
});

Deno.test("the end waits for nodes in reach, retires the old CA, destroys its key and signs the scribe's grant anew", async () => {
  await using ca = await openTestDesk();
  const { rolling, node, reachable, grants } = await rollingDesk(ca);
  await assert.rejects(rolling.finish(true), { code: "CA_ROLL_NONE" });
  const keys = [generateNodeKey(), generateNodeKey()] as const;
  const members = [
    await ca.join(ca.token(), { key: keys[0] }),
    await ca.join(ca.token(), { key: keys[1] }),
  ];
  const basis = { epoch: 1, version: 7, hash, grantEpoch: 0, sealKey: "ab".repeat(32) };
  ca.ledger.grantScribe(keys[0].id, basis, now());
  const { ca: next } = await rolling.begin();
  await renewal(ca, keys[0], members[0]!);
  reachable.set(keys[0].id, next).set(keys[1].id, ca.authority.anchor.fingerprint);
  await assert.rejects(rolling.finish(false), {
    code: "CA_ROLL_UNFINISHED",
    message: new RegExp(keys[1].id),
  });
  const { stage, waiting, previous } = await rolling.finish(true);
  assert.deepEqual([stage, waiting, previous], ["finished", [keys[1].id], null]);
  assert.deepEqual(node.trust.retired, [node.roll!.from]);
  await assert.rejects(Deno.stat(join(ca.directory, "ca.key")), Deno.errors.NotFound);

  await assert.rejects(renewal(ca, keys[1], members[1]!), /not issued by this network's CA/);
  const { grant } = verifyGrant(grants.at(-1)!, {
    network: testNetwork,
    anchors: node.trust.anchors,
  });
  assert.deepEqual(
    [grant.epoch, grant.scribe, grant.base],
    [2, keys[0].id, { epoch: 1, version: 7, hash }],
  );
  const [finished] = ca.ledger.audit.list(9).filter(({ type }) => type === "ca_roll_finished");
  assert.deepEqual(finished?.fields["left"], [keys[1].id]);
  assert.equal(ca.ledger.audit.verify().brokenAt, null);
  const second = await rolling.begin();
  assert.deepEqual([second.serial, second.stage, second.previous], [3, "overlap", next]);
});

Deno.test("a scribe that was revoked is not granted the role anew by a roll", async () => {
  await using ca = await openTestDesk();
  const { rolling, grants } = await rollingDesk(ca);
  const key = generateNodeKey();
  const basis = { epoch: 1, version: 7, hash, grantEpoch: 0, sealKey: "ab".repeat(32) };
  ca.ledger.grantScribe(key.id, basis, now());
  ca.ledger.revokeNode(key.id, "stolen", now());
  await rolling.begin();
  await rolling.finish(false);
  const { anchors } = ca.ledger.authorities.trust;
  assert.equal(verifyGrant(grants.at(-1)!, { network: testNetwork, anchors }).grant.scribe, null);
});

Deno.test("a CA that ends at any step of a roll goes on from there", async () => {
  await using ca = await openTestDesk();
  // Ended before the ledger knew: the files of the next CA lie there, and the next attempt takes them.
  const made = await openAuthority(ca.directory, now(), 2);
  {
    using ledger = await reopen(ca);
    assert.equal(ledger.authorities.newest.anchor.fingerprint, ca.authority.anchor.fingerprint);
    const { rolling } = await rollingDesk(ca, ledger);
    assert.equal((await rolling.begin()).ca, made.anchor.fingerprint);
  }
  // Ended before its own node heard: that is told when it comes up.
  {
    using ledger = await reopen(ca);
    assert.deepEqual(
      ledger.authorities.trust.anchors.map(({ fingerprint }) => fingerprint),
      [made.anchor.fingerprint, ca.authority.anchor.fingerprint],
    );
    const { rolling, node } = await rollingDesk(ca, ledger);
    assert.equal(node.roll, null);
    await rolling.follow();
    assert.equal(node.roll!.roll.stage, "overlap");
    const { bytes } = ledger.finishRoll(
      { epoch: 0, version: 0, hash: "", grantEpoch: 0, sealKey: "ab".repeat(32) },
      [],
      now(),
    );
    assert.equal(verifyRoll(bytes, testNetwork).roll.stage, "finished");
  }
  // Ended before the retired key was destroyed.
  await Deno.stat(join(ca.directory, authorityFiles().key));
  using ledger = await reopen(ca);
  await assert.rejects(Deno.stat(join(ca.directory, authorityFiles().key)), Deno.errors.NotFound);
  const { rolling, node } = await rollingDesk(ca, ledger);
  await rolling.follow();
  assert.deepEqual(node.trust.anchors.map(({ fingerprint }) => fingerprint), [
    made.anchor.fingerprint,
  ]);
});

Deno.test("a step that cannot be written down changes nothing, and can be tried again", async () => {
  await using ca = await openTestDesk();
  const { rolling, node } = await rollingDesk(ca);
  const full = (sql: string) => {
    using raw = new DatabaseSync(`${ca.directory}/ledger.db`);
    raw.exec(sql);
  };
  const failing =
    "CREATE TRIGGER full BEFORE INSERT ON audit BEGIN SELECT RAISE(ABORT, 'disk full'); END";
  full(failing);
  await assert.rejects(rolling.begin(), { code: "CA_LEDGER_WRITE" });
  assert.deepEqual([node.roll, (await rolling.status()).stage], [null, "none"]);
  full("DROP TRIGGER full");
  await rolling.begin();
  full(failing);
  const before = await rolling.status();
  await assert.rejects(rolling.finish(true), { code: "CA_LEDGER_WRITE" });
  assert.equal(node.roll!.roll.stage, "overlap");
  assert.deepEqual(await rolling.status(), before);
  full("DROP TRIGGER full");
  assert.equal((await rolling.finish(true)).stage, "finished");
});

Deno.test("a ledger that is older than its directory makes no CA of its own", async () => {
  await using ca = await openTestDesk();
  const { rolling } = await rollingDesk(ca);
  await rolling.begin();
  await Deno.remove(join(ca.directory, authorityFiles(2).key));
  await assert.rejects(reopen(ca), { code: "CA_KEY_MISSING" });
  await Deno.remove(join(ca.directory, authorityFiles(2).certificate));
  await assert.rejects(reopen(ca), { code: "CA_CERTIFICATE_INVALID" });
});

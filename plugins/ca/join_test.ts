import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { channelPair } from "../../core/identity/channel_testing.ts";
import {
  generateJoinToken,
  generateNodeKey,
  type JoinChannel,
  JoinError,
  joinNetwork,
  joinTokenId,
  joinTokenKey,
  parseTrustAnchor,
  pemToDer,
  relayJoin,
  validateCertificate,
} from "../../core/identity/mod.ts";
import { type Middle, openTestDesk, testNetwork } from "./testing.ts";

Deno.test("a node that knows the token gets a certificate for its own key and the CA to trust", async () => {
  await using ca = await openTestDesk();
  const key = generateNodeKey();
  const caFingerprint = ca.authority.anchor.fingerprint;
  const result = await ca.join(ca.token({ roles: ["exit"] }), { key, caFingerprint });
  const anchor = parseTrustAnchor(result.anchorPem);
  assert.equal(anchor.fingerprint, caFingerprint);
  const certificate = validateCertificate(pemToDer(result.certificatePem), anchor, {
    now: Date.now(),
    network: testNetwork,
    expect: key.id,
  });
  assert.deepEqual(certificate.roles, ["exit"]);
  assert.equal(certificate.meshAddresses.length, 2);
  const days = (certificate.notAfter - Date.now()) / 86_400_000;
  assert.ok(days > 89.9 && days <= 90);
  const [entry] = ca.ledger.audit.list(1);
  assert.equal(entry?.type, "certificate_issued");
  assert.equal(entry?.fields["serial"], certificate.serial);
});

Deno.test("a relay that passes messages on is all a join needs", async () => {
  await using ca = await openTestDesk();
  await ca.join(ca.token(), {}, relayJoin);
});

Deno.test("the token never crosses the wire, nor does its key", async () => {
  await using ca = await openTestDesk();
  const token = ca.token();
  const seen: Uint8Array[] = [];
  const spy = (channel: JoinChannel): JoinChannel => ({
    receive: async () => {
      const message = await channel.receive();
      if (message !== null) seen.push(message);
      return message;
    },
    send: (message) => channel.send(message),
  });
  await ca.join(token, {}, (node, far) => relayJoin(spy(node), spy(far)));
  assert.equal(seen.length, 4);
  const wire = seen.map((message) => message.toHex()).join();
  for (
    const secret of [token, new TextEncoder().encode(token).toHex(), joinTokenKey(token).toHex()]
  ) {
    assert.ok(!wire.includes(secret));
  }
});

Deno.test("an unknown token is refused by the node itself, and the CA records the attempt", async () => {
  await using ca = await openTestDesk();
  const key = generateNodeKey();
  await assert.rejects(ca.join(generateJoinToken(), { key }), {
    name: "JoinError",
    code: "JOIN_TOKEN_INVALID",
    message: /^invalid join token/,
  });
  assert.equal(ca.ledger.audit.list(1)[0]?.type, "join_abandoned");
  assert.equal(ca.ledger.nodes.latest(key.id), undefined);
});

Deno.test("a refusal carries a reason the user can act on, proven by the token", async () => {
  await using ca = await openTestDesk();
  const revoked = generateNodeKey();
  ca.ledger.revokeNode(revoked.id, "lost laptop", Date.now());
  const withdrawn = ca.token({ maxUses: 0 });
  ca.ledger.revokeToken(
    joinTokenId(withdrawn),
    Date.now(),
  );
  const used = ca.token();
  await ca.join(used);
  const cases: [string, Parameters<typeof ca.join>[1], string][] = [
    [ca.token({ expiresAt: Date.now() - 1 }), {}, "token expired"],
    [used, {}, "token already used"],
    [withdrawn, {}, "join token has been revoked"],
    [ca.token(), { key: revoked }, "node has been revoked"],
    [ca.token(), { network: "other" }, "network mismatch: CA serves corp"],
  ];
  for (const [token, options, reason] of cases) {
    await assert.rejects(ca.join(token, options), (error: JoinError) => {
      assert.equal(error.code, "JOIN_REFUSED", error.message);
      assert.equal(error.fields["reason"], reason);
      return true;
    });
    const [entry] = ca.ledger.audit.list(1);
    assert.equal(entry?.type, "join_refused");
    assert.equal(entry?.fields["reason"], reason);
  }
  // A refusal costs no use.
  assert.equal(ca.ledger.tokens.list(Date.now()).reduce((sum, t) => sum + t.uses, 0), 1);
});

Deno.test("another CA that knows the token is not taken for the invite's CA", async () => {
  await using ca = await openTestDesk();
  const caFingerprint = "0".repeat(64);
  await assert.rejects(ca.join(ca.token(), { caFingerprint }), { code: "JOIN_CA_MISMATCH" });
});

Deno.test("a false CA without the token is found out", async () => {
  await using real = await openTestDesk();
  await using evil = await openTestDesk();
  const token = real.token();
  await assert.rejects(evil.join(token), { code: "JOIN_TOKEN_INVALID" });
});

Deno.test("a known token's challenge is of the same form as an unknown one's", async () => {
  await using ca = await openTestDesk();
  const ask = async (token: string) => {
    const [node, far] = channelPair();
    const served = ca.desk.serve(far).finally(() => far.close());
    const joining = joinNetwork(
      { send: (m) => node.send(m), receive: () => Promise.resolve(null) },
      { key: generateNodeKey(), network: testNetwork, token, now: Date.now() },
    );
    await assert.rejects(joining, { code: "JOIN_CLOSED" });
    const challenge = await node.receive();
    node.close();
    await served;
    return challenge!;
  };
  const known = await ask(ca.token());
  const unknown = await ask(generateJoinToken());
  assert.equal(known.length, unknown.length);
  assert.deepEqual(known.subarray(35, -32), unknown.subarray(35, -32));
  assert.notDeepEqual(known.subarray(-32), unknown.subarray(-32));
});

Deno.test("a token holder cannot get a certificate for somebody else's key", async () => {
  await using ca = await openTestDesk();
  const victim = generateNodeKey();
  const thief = generateNodeKey();
  const pretender = {
    id: victim.id,
    publicKey: victim.publicKey,
    privateKeyPem: "",
    sign: (message: Uint8Array) => thief.sign(message),
  };
  await assert.rejects(ca.join(ca.token(), { key: pretender }), {
    code: "JOIN_REFUSED",
    message: /certificate request/,
  });
  assert.equal(ca.ledger.nodes.latest(victim.id), undefined);
});

Deno.test("of fifty joins at once on a single-use token exactly one wins", async () => {
  await using ca = await openTestDesk();
  const token = ca.token();
  const results = await Promise.allSettled(Array.from({ length: 50 }, () => ca.join(token)));
  assert.equal(results.filter((result) => result.status === "fulfilled").length, 1);
  for (const result of results) {
    if (result.status === "rejected") {
      assert.equal(result.reason.fields.reason, "token already used");
    }
  }
  assert.equal(ca.ledger.nodes.list(100).length, 1);
  assert.equal(ca.ledger.tokens.list(Date.now())[0]?.uses, 1);
  assert.equal(ca.ledger.audit.verify().brokenAt, null);
});

Deno.test("a node that never saw the answer asks again and gets the same certificate for the same use", async () => {
  await using ca = await openTestDesk();
  const token = ca.token();
  const key = generateNodeKey();
  const cut: Middle = async (node, far) => {
    await far.send((await node.receive())!);
    await node.send((await far.receive())!);
    await far.send((await node.receive())!);
    await far.receive();
  };
  await assert.rejects(ca.join(token, { key }, cut), { code: "JOIN_CLOSED" });
  const lost = ca.ledger.nodes.latest(key.id);
  const first = await ca.join(token, { key });
  assert.deepEqual(pemToDer(first.certificatePem), new Uint8Array(lost!.der));
  assert.equal((await ca.join(token, { key })).certificatePem, first.certificatePem);
  assert.equal(ca.ledger.tokens.list(Date.now())[0]?.uses, 1);
  await assert.rejects(ca.join(token), { code: "JOIN_REFUSED" });
});

Deno.test("garbage from a stranger ends that conversation and nothing else", async () => {
  await using ca = await openTestDesk();
  const openings = [
    new Uint8Array(0),
    Uint8Array.of(1),
    new Uint8Array(20_000),
    crypto.getRandomValues(new Uint8Array(300)),
    new TextEncoder().encode("GET / HTTP/1.1\r\n\r\n"),
  ];
  for (const opening of openings) {
    const [stranger, far] = channelPair();
    const served = ca.desk.serve(far).finally(() => far.close());
    await stranger.send(opening);
    assert.equal(await stranger.receive(), null);
    await served;
  }
  assert.equal(ca.desk.open, 0);
  await ca.join(ca.token());
});

Deno.test("one source that begins too many joins is told to wait", async () => {
  await using ca = await openTestDesk();
  for (let i = 0; i < 200; i++) {
    const [stranger, far] = channelPair("198.51.100.7:5");
    stranger.close();
    await ca.desk.serve(far);
  }
  const [node, far] = channelPair("198.51.100.7:6");
  const served = ca.desk.serve(far).finally(() => far.close());
  const options = { key: generateNodeKey(), network: testNetwork, now: Date.now() };
  await assert.rejects(joinNetwork(node, { ...options, token: ca.token() }), {
    code: "JOIN_REFUSED_UNPROVEN",
    message: /busy/,
  });
  await served;
  await ca.join(ca.token());
});

Deno.test("when the CA cannot write, no use is spent, the node is told to try again and the log says why", async () => {
  await using ca = await openTestDesk();
  const token = ca.token();
  const key = generateNodeKey();
  const raw = new DatabaseSync(`${ca.directory}/ledger.db`);
  raw.exec(
    "CREATE TRIGGER full BEFORE INSERT ON issued BEGIN SELECT RAISE(ABORT, 'no space'); END",
  );
  await assert.rejects(ca.join(token, { key }), { code: "JOIN_REFUSED", message: /try again/ });
  assert.deepEqual(ca.logged, ["error join failed at the CA"]);
  assert.equal(ca.ledger.tokens.list(Date.now())[0]?.uses, 0);
  raw.exec("DROP TRIGGER full");
  raw.close();
  await ca.join(token, { key });
});

import assert from "node:assert/strict";
import { draftConfig } from "./draft.ts";
import { emptyBody } from "./empty_body.ts";
import { positionText } from "./position.ts";
import { testAuthority, writeConfig, type Written } from "./testing.ts";

const authority = await testAuthority();
const [first, second, member] = [
  await authority.issue(),
  await authority.issue(),
  await authority.issue(),
];
const grant1 = authority.grant(1, first.key.id);

function store() {
  return authority.store(member.key.id);
}

Deno.test("versions only rise, gaps are normal, and repeats are no news", () => {
  const s = store();
  const [v1, v2, v5] = [1, 2, 5].map((v) => writeConfig(first, grant1, v)) as [
    Written,
    Written,
    Written,
  ];
  assert.deepEqual(s.offer(v2.bytes), {
    config: true,
    grant: true,
    hash: v2.hash,
    error: undefined,
  });
  assert.equal(s.offer(v2.bytes).config, false);
  assert.equal(s.state.refused, null);
  assert.equal(s.offer(v5.bytes).config, true);
  for (const old of [v1, v2]) assert.equal(s.offer(old.bytes).error?.code, "NETCONFIG_OLD");
  assert.equal(positionText(s.position), "1.5");
  assert.equal(s.state.refused, null, "old news is nothing to warn of");
});

Deno.test("two configs with one number: the first stays, and both are named", () => {
  const s = store();
  const [one, other] = ["a", "b"].map((note) => writeConfig(first, grant1, 3, { note })) as [
    Written,
    Written,
  ];
  s.offer(one.bytes);
  assert.equal(s.offer(other.bytes).error?.code, "NETCONFIG_FORKED");
  assert.equal(s.state.config?.hash, one.hash);
  assert.deepEqual(
    [s.state.fork?.what, s.state.fork?.kept, s.state.fork?.other],
    ["config", one.hash, other.hash],
  );
  s.offer(writeConfig(first, grant1, 4).bytes);
  assert.equal(s.state.fork, null, "a newer version ends the doubt");
});

Deno.test("a higher grant ends the old scribe's word but not its last config", () => {
  const s = store();
  const last = writeConfig(first, grant1, 3);
  s.offer(last.bytes);
  const grant2 = authority.grant(2, second.key.id, { epoch: 1, version: 3, hash: last.hash });
  assert.deepEqual(s.offerGrant(grant2.bytes), { config: false, grant: true, error: undefined });
  assert.equal(s.offer(writeConfig(first, grant1, 4).bytes).error?.code, "NETCONFIG_SUPERSEDED");
  assert.equal(s.state.config?.hash, last.hash);
  assert.equal(s.offer(writeConfig(second, grant2, 1).bytes).config, true);
  assert.equal(positionText(s.position), "2.1");
  assert.equal(s.offerGrant(grant1.bytes).grant, false, "a grant does not come back");
});

Deno.test("a node that missed the end of an epoch still gets the config the CA vouches for, and no other", () => {
  const s = store();
  s.offer(writeConfig(first, grant1, 1).bytes);
  const last = writeConfig(first, grant1, 5);
  s.offerGrant(authority.grant(2, null, { epoch: 1, version: 5, hash: last.hash }).bytes);
  assert.equal(s.awaitsBase, true);
  assert.equal(s.offer(writeConfig(first, grant1, 6).bytes).error?.code, "NETCONFIG_SUPERSEDED");
  assert.equal(s.offer(last.bytes).config, true);
  assert.equal(s.awaitsBase, false);
});

Deno.test("between two configs with one number the CA's word decides", () => {
  const s = store();
  s.offer(writeConfig(first, grant1, 3, { note: "a" }).bytes);
  const other = writeConfig(first, grant1, 3, { note: "b" });
  s.offer(other.bytes);
  const base = { epoch: 1, version: 3, hash: other.hash };
  s.offerGrant(authority.grant(2, second.key.id, base).bytes);
  assert.equal(s.offer(other.bytes).config, true);
  assert.equal(s.state.fork, null);
});

Deno.test("two grants of one epoch are a fork of the CA: the first one stays", () => {
  const s = store();
  s.offerGrant(grant1.bytes);
  const offered = s.offer(writeConfig(second, authority.grant(1, second.key.id), 1).bytes);
  assert.equal(offered.error?.code, "NETCONFIG_FORKED");
  assert.deepEqual([s.state.fork?.what, s.state.config], ["grant", null]);
});

Deno.test("what cannot be verified leaves the last good config in force and is told", async () => {
  const s = store();
  const good = writeConfig(first, grant1, 1);
  s.offer(good.bytes);
  const foreign = await authority.ca.forge.foreignCa();
  assert.equal(s.offer(writeConfig(foreign, grant1, 2).bytes).config, false);
  assert.equal(s.state.refused?.code, "NETCONFIG_CERTIFICATE");
  assert.equal(s.state.config?.hash, good.hash);
  s.offer(writeConfig(first, grant1, 2).bytes);
  assert.equal(s.state.refused, null);
});

Deno.test("an old disk is taken as a start, told, and not followed by less than there was", () => {
  const s = store();
  s.restore({ config: writeConfig(first, grant1, 2).bytes, floor: { epoch: 1, version: 7 } });
  assert.deepEqual([positionText(s.position), s.state.rolledBack], ["1.2", true]);
  assert.equal(s.offer(writeConfig(first, grant1, 6).bytes).error?.code, "NETCONFIG_ROLLBACK");
  assert.equal(s.offer(writeConfig(first, grant1, 7).bytes).config, true);
  assert.equal(s.state.rolledBack, true, "it stays told: the disk was an old one");
});

Deno.test("a scribe that is sent its own later config knows that it has forgotten", () => {
  const s = authority.store(first.key.id);
  s.restore({ config: writeConfig(first, grant1, 2).bytes });
  assert.equal(s.state.rolledBack, false);
  s.offer(writeConfig(first, grant1, 4).bytes);
  assert.equal(s.state.rolledBack, true);
  s.publish(
    draftConfig(s, { body: emptyBody, note: "", expect: { epoch: 1, version: 4 } }, first, 9),
  );
  assert.deepEqual([positionText(s.position), s.state.rolledBack], ["1.5", false]);
});

Deno.test("only the scribe publishes, and of two who saw the same version one comes too late", () => {
  const draft = { body: emptyBody, note: "x", expect: { epoch: 0, version: 0 } };
  const s = authority.store(first.key.id);
  assert.throws(() => draftConfig(s, draft, first, 1), { code: "NETCONFIG_NOT_SCRIBE" });
  s.offerGrant(grant1.bytes);
  s.publish(draftConfig(s, draft, first, 1));
  const { document, hash } = s.state.config!;
  assert.deepEqual([document.version, document.parent, document.note], [1, null, "x"]);
  assert.throws(() => draftConfig(s, draft, first, 1), {
    code: "NETCONFIG_CONFLICT",
    fields: { expected: "0.0", current: "1.1" },
  });
  s.publish(draftConfig(s, { ...draft, expect: document }, first, 1));
  assert.deepEqual([s.position.version, s.state.config?.document.parent], [2, hash]);
  assert.throws(
    () =>
      draftConfig(s, { body: { ...emptyBody, dns: 1 }, note: "", expect: s.position }, first, 1),
    { code: "NETCONFIG_INVALID", fields: { path: "body.dns" } },
  );
});

Deno.test("a new scribe publishes on top of the config its grant rests on, not without it", () => {
  const s = authority.store(second.key.id);
  const last = writeConfig(first, grant1, 5);
  const grant2 = authority.grant(2, second.key.id, { epoch: 1, version: 5, hash: last.hash });
  s.offerGrant(grant2.bytes);
  const draft = { body: emptyBody, note: "", expect: { epoch: 0, version: 0 } };
  assert.throws(() => draftConfig(s, draft, second, 1), { code: "NETCONFIG_CONFLICT" });
  s.offer(last.bytes);
  s.publish(draftConfig(s, { ...draft, expect: s.position }, second, 1));
  assert.deepEqual([positionText(s.position), s.state.config?.document.parent], [
    "2.6",
    last.hash,
  ]);
});

Deno.test("a config that continues another one than was in force here is taken, and told", () => {
  const s = store();
  const [here, there] = ["a", "b"].map((note) => writeConfig(first, grant1, 6, { note })) as [
    Written,
    Written,
  ];
  const next = (version: number, parent: Written) =>
    writeConfig(first, grant1, version, { document: { parent: parent.hash } });
  s.offer(here.bytes);
  const seventh = next(7, there);
  assert.equal(s.offer(seventh.bytes).config, true);
  assert.deepEqual(s.state.fork, {
    what: "parent",
    position: { epoch: 1, version: 6 },
    kept: here.hash,
    other: there.hash,
  });
  s.offer(next(8, seventh).bytes);
  assert.equal(s.state.fork, null);
});

Deno.test("an older config is old news, unless it has the number of another one that was in force here", () => {
  const s = store();
  const [mine, other] = ["a", "b"].map((note) => writeConfig(first, grant1, 6, { note })) as [
    Written,
    Written,
  ];
  s.offer(mine.bytes);
  s.offer(writeConfig(first, grant1, 9).bytes);
  assert.equal(s.offer(mine.bytes).error?.code, "NETCONFIG_OLD");
  assert.deepEqual([s.contradicts(s.position, mine.hash), s.state.fork], [true, null]);
  assert.equal(s.offer(other.bytes).error?.code, "NETCONFIG_FORKED");
  assert.deepEqual([s.state.fork?.what, s.state.fork?.kept], ["config", mine.hash]);
  assert.equal(positionText(s.position), "1.9");
  s.offerGrant(authority.grant(2, second.key.id).bytes);
  assert.equal(s.contradicts({ epoch: 1, version: 6 }, other.hash), false);
});

Deno.test("a scribe whose last change the CA has overruled is told so, also after a restart and by what follows", () => {
  const base = writeConfig(first, grant1, 4);
  const lost = writeConfig(first, grant1, 5, { document: { parent: base.hash } });
  const at = { epoch: 1, version: 4, hash: base.hash };
  const grant2 = authority.grant(2, second.key.id, at);
  const s = authority.store(first.key.id);
  s.restore({ config: lost.bytes, grant: grant2.bytes });
  const fork = { what: "role", position: { epoch: 1, version: 5 }, kept: base.hash };
  assert.deepEqual(s.state.fork, { ...fork, other: lost.hash });
  assert.equal(positionText(s.position), "1.5", "what was in force stays so for now");
  s.offer(writeConfig(second, grant2, 5).bytes);
  assert.deepEqual([s.state.fork?.what, positionText(s.position)], ["role", "2.5"]);
  const grant3 = authority.grant(3, first.key.id);
  s.offer(writeConfig(first, grant3, 6).bytes);
  assert.equal(s.state.fork, null);

  const outrun = authority.store(first.key.id);
  outrun.restore({ config: base.bytes });
  outrun.offerGrant(grant2.bytes);
  assert.equal(outrun.state.fork, null, "nothing was lost");
});

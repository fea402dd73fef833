import assert from "node:assert/strict";
import { makeRecord, recordsMessage } from "../../core/gossip/testing.ts";
import { createTestCa, type TestCa } from "../../core/identity/testing.ts";
import { joinMessageType } from "../../core/identity/join_messages.ts";
import type { Credentials } from "../../core/identity/types.ts";
import { signGrant } from "../../core/netconfig/mod.ts";
import { controlKind } from "../../core/node/control_channel.ts";
import type { Node } from "../../core/node/node.ts";
import { startTestNode, until } from "../../core/node/testing.ts";
import { LinkRefusedError } from "../../core/sessions/errors.ts";
import { openJoinConversation } from "../../core/sessions/websocket/mod.ts";
import { writeRoll } from "../../core/trust/testing.ts";
import { Member } from "./fixtures/member.ts";
import { RogueControl } from "./fixtures/rogue_control.ts";
import { createScene, type Scene } from "./fixtures/scene.ts";
import { only, transports } from "./fixtures/transports.ts";
import { within } from "./fixtures/within.ts";

const network = "pulse";
const saveNowhere = () => Promise.resolve();

/** Says words on CA rolls over a link, and waits until they have been judged. */
async function tell(scene: Scene, member: Member, words: readonly Uint8Array[]): Promise<void> {
  const control = await RogueControl.open(await member.dial(scene.address, scene.victim.id));
  for (const word of words) await control.send(controlKind.caRoll, word);
  const sequence = 1_000 + (scene.victim.record(member.id)?.sequence ?? 0);
  await control.gossip(recordsMessage([makeRecord(member.credentials, { sequence })]));
  await until("the end of it", () => scene.victim.record(member.id)?.sequence === sequence);
}

/** Says a word at the door where strangers join: what the node knows itself. */
async function tellAtDoor({ host, port }: Node["listeners"]["address"], word: Uint8Array) {
  const signal = AbortSignal.timeout(20_000);
  await using conversation = await openJoinConversation({ host, port, signal });
  await conversation.send(Uint8Array.of(joinMessageType.roll, ...word));
  return (await within("an answer at the door", conversation.receive()))?.slice(1);
}

/** A CA certificate beside which somebody else's key signs. */
const signedBy = (fromKey: TestCa, toKey: TestCa) => ({ network, fromKey, toKey });

for (const transport of transports) {
  Deno.test(`over ${transport}, neither the scribe nor a member brings in a CA of its own`, async () => {
    const [own, next] = [await createTestCa(), await createTestCa()];
    await using scene = await createScene(transport);
    const { ca, victim } = scene;
    await using scribe = await Member.create(await ca.issue({ roles: ["scribe"] }), transport);
    const key: TestCa = { ...own, key: scribe.credentials.key };
    await tell(scene, scribe, [
      // By the scribe's key in the CA's name; by a CA of its own alone; cross-signed by nobody that counts.
      writeRoll(ca, own, 1, "overlap", signedBy(key, own)),
      writeRoll(own, next, 1, "overlap", { network }),
      writeRoll(ca, own, 1, "finished", signedBy(own, own)),
      writeRoll(own, ca, 1, "overlap", signedBy(own, own)),
      writeRoll(ca, own, 1, "overlap", { network: "other" }),
      new Uint8Array(0),
      crypto.getRandomValues(new Uint8Array(1_000)),
    ]);
    assert.equal(victim.trust.roll, null);
    assert.deepEqual(victim.trust.trust.anchors.map(({ fingerprint }) => fingerprint), [
      ca.anchor.fingerprint,
    ]);
    await assertRefused(scene, await own.issue());
    await scene.assertServes();
  });

  Deno.test(`over ${transport}, a word that is older than the one known changes nothing, over a link or at the door`, async () => {
    const next = await createTestCa();
    const old = await createTestCa();
    const overlap = writeRoll(old, next, 1, "overlap", { network });
    const finished = writeRoll(old, next, 2, "finished", { network });
    const trust = { stored: finished, save: saveNowhere };
    await using scene = await createScene(transport, {
      ca: next,
      victim: { trust, websocket: true },
    });
    await using member = await Member.create(await next.issue(), transport);
    await tell(scene, member, [overlap, writeRoll(old, next, 2, "overlap", { network })]);
    assert.deepEqual(await tellAtDoor(scene.victim.listeners.address, overlap), finished);
    assert.equal(scene.victim.trust.roll?.roll.serial, 2);
    assert.equal(scene.victim.trust.roll?.roll.stage, "finished");
    await assertRefused(scene, await old.issue());
    await scene.assertServes();
  });

  Deno.test(`over ${transport}, a retired CA's key signs nothing that counts: no node, no record, no scribe, no successor`, async () => {
    const [old, next, own] = [await createTestCa(), await createTestCa(), await createTestCa()];
    const finished = writeRoll(old, next, 2, "finished", { network });
    const trust = { stored: finished, save: saveNowhere };
    await using scene = await createScene(transport, {
      ca: next,
      victim: { trust },
    });
    const { victim } = scene;
    const stranger = await old.issue({ roles: ["ca", "scribe"] });
    await assertRefused(scene, stranger);
    await assertRefusesListener(scene, stranger);

    await using member = await Member.create(await next.issue(), transport);
    const forged = victim.gossipCounters().badCertificates;
    const control = await RogueControl.open(await member.dial(scene.address, victim.id));
    await control.gossip(recordsMessage([makeRecord(stranger, { sequence: 1 })]));
    await until("the record", () => victim.gossipCounters().badCertificates > forged);
    assert.equal(victim.record(stranger.certificate.id), undefined);
    const grant = signGrant({
      network,
      epoch: 99,
      scribe: member.id,
      sealKey: "ab".repeat(32),
      issuedAt: 0,
      base: null,
    }, (message) => old.key.sign(message));
    assert.throws(() => victim.networkConfig.adoptGrant(grant), { code: "NETCONFIG_RETIRED" });
    await tell(scene, member, [
      writeRoll(old, own, 9, "overlap", { network }),
      writeRoll(old, next, 9, "overlap", signedBy(old, old)),
      writeRoll(next, own, 9, "overlap", signedBy(old, own)),
    ]);
    assert.equal(victim.trust.newest.fingerprint, next.anchor.fingerprint);
    await assertRefused(scene, stranger);
    await scene.assertServes();
  });
}

async function assertRefused(scene: Scene, credentials: Credentials): Promise<void> {
  // It believes whoever answers: what matters is what it is told.
  const believing = { ...credentials, anchor: scene.ca.anchor };
  await using member = await Member.create(believing, scene.transport, network);
  await assert.rejects(member.dial(scene.address), (error) => error instanceof LinkRefusedError);
  assert.equal(scene.victim.link(member.id), undefined);
}

/** A node with these credentials listens where the victim is told to dial. */
async function assertRefusesListener(scene: Scene, credentials: Credentials): Promise<void> {
  await using listener = await startTestNode(
    { ...credentials, anchor: scene.ca.anchor },
    only(scene.transport),
  );
  const { ca, transport } = scene;
  await using dialler = await startTestNode(await ca.issue(), {
    ...only(transport),
    peers: [listener.node.listeners.address],
    ...(scene.victim.trust.roll === null
      ? {}
      : { trust: { stored: scene.victim.trust.roll.bytes, save: saveNowhere } }),
  });
  await until("a failed dial", () => dialler.node.dialFailures.size > 0);
  assert.equal(dialler.node.link(listener.node.id), undefined);
}

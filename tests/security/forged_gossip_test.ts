import assert from "node:assert/strict";
import { decodeMessage, type RecordItem } from "../../core/gossip/message.ts";
import { makeRecord, recordsMessage } from "../../core/gossip/testing.ts";
import { createTestCa } from "../../core/identity/testing.ts";
import type { NodeId } from "../../core/identity/types.ts";
import { controlKind } from "../../core/node/control_channel.ts";
import type { Node } from "../../core/node/node.ts";
import { until } from "../../core/node/testing.ts";
import { Member } from "./fixtures/member.ts";
import { RogueControl } from "./fixtures/rogue_control.ts";
import { createScene, type Scene } from "./fixtures/scene.ts";
import { transports } from "./fixtures/transports.ts";

interface Rogue extends AsyncDisposable {
  readonly member: Member;
  readonly control: RogueControl;
  /** Tells the victim something true and waits until it has arrived: everything said before has been judged by then. */
  settle(): Promise<void>;
}

/** A member in good standing, linked to the victim, that says what it likes. */
async function enter(scene: Scene): Promise<Rogue> {
  const member = await Member.create(await scene.ca.issue(), scene.transport);
  const control = await RogueControl.open(await member.dial(scene.address, scene.victim.id));
  let sequence = 0;
  return {
    member,
    control,
    async settle() {
      // Steps far enough apart that what a test signed in between does not win.
      sequence += 1_000;
      const own = sequence;
      await control.gossip(recordsMessage([makeRecord(member.credentials, { sequence: own })]));
      await until("the rogue's own record", () => scene.victim.record(member.id)?.sequence === own);
    },
    [Symbol.asyncDispose]: () => member[Symbol.asyncDispose](),
  };
}

/** What a node believes about another, as far as somebody might want to change it. */
function belief(node: Node, id: NodeId): unknown {
  const record = node.record(id);
  return record && {
    serial: record.certificate.serial,
    version: record.report.version,
    addresses: record.report.addresses,
    capabilities: record.report.capabilities,
    links: record.report.links.map(({ peer }) => peer).sort(),
  };
}

function recordOf(message: Uint8Array, id: NodeId): RecordItem | undefined {
  for (const section of decodeMessage(message)) {
    if (section.type !== "records") continue;
    const item = section.batch.items.find(({ head, content }) =>
      head.id === id && content !== null
    );
    if (item !== undefined) return item;
  }
  return undefined;
}

for (const transport of transports) {
  Deno.test(`over ${transport}, a member cannot speak for another node`, async () => {
    await using scene = await createScene(transport);
    await using rogue = await enter(scene);
    const { credentials } = rogue.member;
    const { friend, victim } = scene;
    await rogue.settle();
    const before = belief(victim, friend.id);
    const sequence = 1_000_000;
    const lie = { version: "6.6.6", addresses: ["192.0.2.66:6"] };
    const certificate = friend.credentials.certificate;
    const stranger = await (await createTestCa(scene.ca.network)).issue();
    const promoted = await scene.ca.issue({
      key: credentials.key,
      signer: credentials.key,
      roles: ["ca"],
    });
    const genuine = makeRecord(credentials, { sequence, report: lie });
    const tampered = { ...genuine, content: genuine.content.slice() };
    tampered.content[tampered.content.length - 1]! ^= 1;
    for (
      const record of [
        // Its own key and certificate over the friend's id; the friend's certificate beside its own signature; both.
        makeRecord(credentials, { sequence, report: lie, id: friend.id }),
        makeRecord({ ...credentials, certificate }, { sequence, report: lie }),
        { ...makeRecord({ ...credentials, certificate }, { sequence }), certificate: null },
        // A node that this network's CA has never seen.
        makeRecord(stranger, { sequence }),
        // Its own, with a role it gave itself, and with bytes changed after it signed.
        makeRecord(promoted, { sequence }),
        tampered,
        makeRecord(credentials, { sequence, report: lie, network: "other" }),
      ]
    ) {
      await rogue.control.gossip(recordsMessage([record]));
    }
    await rogue.settle();
    assert.deepEqual(belief(victim, friend.id), before);
    assert.equal(victim.record(stranger.certificate.id), undefined);
    assert.deepEqual(victim.record(rogue.member.id)?.certificate.roles, []);
    assert.notEqual(victim.record(rogue.member.id)?.report.version, lie.version);
    assert.ok(victim.link(rogue.member.id), "forged records cost the liar nothing but themselves");
    await scene.assertServes();
  });

  Deno.test(`over ${transport}, a recorded message played again changes nothing`, async () => {
    await using scene = await createScene(transport);
    await using rogue = await enter(scene);
    const { friend, victim } = scene;
    const message = await rogue.control.find(
      "the friend's record",
      (heard) => recordOf(heard, friend.id) !== undefined,
    );
    const old = recordOf(message, friend.id)!;
    const renewed = await scene.ca.issue({ key: friend.credentials.key });
    await friend.renew(renewed);
    await until(
      "the friend's news",
      () => victim.record(friend.id)?.certificate.serial === renewed.certificate.serial,
    );
    const before = belief(victim, friend.id);
    const sequence = victim.record(friend.id)!.sequence;
    assert.ok(old.head.sequence < sequence);
    const { certificate } = friend.credentials;
    for (let n = 0; n < 20; n++) {
      await rogue.control.gossip(message);
      await rogue.control.gossip(recordsMessage([{ ...old, certificate: certificate.der }]));
    }
    await rogue.settle();
    assert.deepEqual(belief(victim, friend.id), before);
    assert.ok(victim.record(friend.id)!.sequence >= sequence);
    await scene.assertServes();
  });

  Deno.test(`over ${transport}, what a node says it is gives it no role, no route and no address that is not its own`, async () => {
    await using scene = await createScene(transport);
    await using rogue = await enter(scene);
    const { friend, victim } = scene;
    const report = {
      capabilities: ["ca", "scribe", "exit"],
      exitCidrs: ["0.0.0.0/0"],
      services: [{ name: "ca.join", port: 1 }],
      // A link that the other end does not confirm, better than any real one.
      links: [{ peer: friend.id, latencyMs: 0, loss: 0 }],
    };
    const record = makeRecord(rogue.member.credentials, { sequence: 1, report });
    await rogue.control.gossip(recordsMessage([record]));
    const heard = await until("the claims", () => victim.record(rogue.member.id));
    assert.deepEqual(heard.report.capabilities, report.capabilities);
    assert.deepEqual(heard.certificate.roles, []);
    const paths = victim.paths(friend.id);
    assert.ok("paths" in paths);
    for (const { nodes } of paths.paths) assert.ok(!nodes.includes(rogue.member.id), `${nodes}`);
    await scene.assertServes();
  });

  Deno.test(`over ${transport}, a lie about the address a node is seen at does not stop it from speaking or accepting`, async () => {
    // On a wildcard address: the only kind of node that listens to what others see.
    await using scene = await createScene(transport, {
      victim: {
        advertise: "auto",
        interfaces: () => ["127.0.0.1"],
        listen: { host: "0.0.0.0", port: 0 },
      },
    });
    await using rogue = await enter(scene);
    const text = new TextEncoder();
    for (
      const lie of [
        "",
        "nonsense",
        "127.0.0.1:0",
        "\u0000:1",
        "[::1]:99999",
        ":7",
        "\ufffd".repeat(20),
      ]
    ) {
      await rogue.control.send(controlKind.observedAddress, text.encode(lie));
      await rogue.settle();
      assert.ok(!scene.victim.addresses.includes(lie), lie);
    }
    await rogue.control.send(controlKind.observedAddress, text.encode("192.0.2.1:6666"));
    await until(
      "news of the victim",
      () => scene.friend.record(scene.victim.id)?.report.addresses.includes("192.0.2.1:6666"),
    );
    await scene.assertServes();
  });
}

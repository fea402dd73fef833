import assert from "node:assert/strict";
import { createTestCa } from "../../core/identity/testing.ts";
import { startTestNode } from "../../core/node/testing.ts";
import { DialError, LinkRefusedError } from "../../core/sessions/errors.ts";
import { SessionCloseCode } from "../../core/sessions/types.ts";
import { impostors } from "./fixtures/impostors.ts";
import { Member } from "./fixtures/member.ts";
import { createScene, type Scene } from "./fixtures/scene.ts";
import { only, transports } from "./fixtures/transports.ts";
import { within } from "./fixtures/within.ts";

function isRefusal(error: unknown): boolean {
  return error instanceof LinkRefusedError || error instanceof DialError;
}

/** What whoever dials the victim with these credentials is told. */
async function refusalOf(scene: Scene, member: Member): Promise<LinkRefusedError> {
  const { id } = scene.victim;
  const error = await within(
    "a refusal",
    member.dial(scene.address, id).then(() => null, (e) => e),
  );
  assert.ok(error instanceof LinkRefusedError, `not refused but ${error}`);
  return error;
}

for (const transport of transports) {
  Deno.test(`over ${transport}, a node refuses every dialler whose certificate is worth nothing`, async () => {
    await using scene = await createScene(transport);
    await Promise.all(impostors.map(async ({ what, code, make }) => {
      const forged = await make(scene.ca, scene.friend.id);
      await using member = await Member.create(
        { ...forged, anchor: scene.ca.anchor },
        transport,
        scene.ca.network,
      );
      const error = await refusalOf(scene, member);
      assert.equal(error.closeCode, SessionCloseCode.unauthenticated, what);
      assert.equal(error.fields["remote"], true, what);
      if (transport === "websocket") assert.equal(error.fields["reason"], code, what);
      await assert.rejects(within(what, member.dial(scene.address)), isRefusal, what);
    }));
    scene.assertNothingGained();
    await scene.assertServes();
  });

  Deno.test(`over ${transport}, a node that dials refuses every listener whose certificate is worth nothing`, async () => {
    const ca = await createTestCa();
    const claimed = (await ca.issue()).certificate.id;
    await using honest = await Member.create(await ca.issue(), transport);
    await Promise.all(impostors.map(async ({ what, make }) => {
      const forged = await make(ca, claimed);
      const credentials = { ...forged, anchor: ca.anchor };
      await using impostor = await startTestNode(credentials, {
        ...only(transport),
        network: ca.network,
      });
      const { address } = impostor.node.listeners;
      await assert.rejects(within(what, honest.dial(address)), isRefusal, what);
      await assert.rejects(within(what, honest.dial(address, claimed)), isRefusal, what);
      assert.deepEqual(impostor.node.linkedPeers(), [], what);
    }));
  });

  Deno.test(`over ${transport}, a revoked node is told so, gets nothing, and loses what it had`, async () => {
    await using scene = await createScene(transport);
    await using member = await Member.create(await scene.ca.issue(), transport);
    const session = await member.dial(scene.address, scene.victim.id);
    const running = await member.openStream(session, [scene.victim.id], { protocol: "echo" });
    await scene.victim.revoke([member.id]);
    const end = await within("the end of the session", session.closed);
    assert.equal(end.code, SessionCloseCode.revoked);
    await assert.rejects(within("the end of the stream", running.read()));
    const error = await refusalOf(scene, member);
    assert.equal(error.closeCode, SessionCloseCode.revoked);
    assert.match(error.message, /revoked/);
    scene.assertNothingGained();
    await scene.assertServes();
  });

  Deno.test(`over ${transport}, nodes of two networks refuse each other and the reason arrives`, async () => {
    await using scene = await createScene(transport);
    // The same CA, as when an operator runs two networks on one: the certificate is sound, the network is not this one.
    const other = await scene.ca.forge.otherNetwork();
    await using member = await Member.create(other, transport, scene.ca.network);
    const error = await refusalOf(scene, member);
    if (transport === "quic") {
      assert.equal(error.closeCode, SessionCloseCode.wrongNetwork);
      assert.match(error.message, /network "other", this is network/);
    } else assert.equal(error.fields["reason"], "CERT_NETWORK");

    // Somebody else's network: neither believes the other's CA.
    const foreign = await createTestCa("other");
    await using foreigner = await startTestNode(await foreign.issue(), only(transport));
    const dial = await Member.create(await foreign.issue(), transport);
    await assert.rejects(within("a refusal", dial.dial(scene.address)), isRefusal);
    await dial[Symbol.asyncDispose]();
    await using honest = await Member.create(await scene.ca.issue(), transport);
    await assert.rejects(
      within("a refusal", honest.dial(foreigner.node.listeners.address)),
      isRefusal,
    );
    assert.deepEqual(foreigner.node.linkedPeers(), []);
    scene.assertNothingGained();
    await scene.assertServes();
  });
}

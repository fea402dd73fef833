import assert from "node:assert/strict";
import { createCsr } from "../../core/identity/csr.ts";
import {
  decodeAnswer,
  decodeChallenge,
  decodeHello,
  decodeRequest,
  encodeAnswer,
  encodeChallenge,
  encodeHello,
  encodeRequest,
  joinMessageType,
  joinTypeOf,
} from "../../core/identity/join_messages.ts";
import {
  generateNodeKey,
  type JoinChannel,
  type JoinConversation,
  JoinError,
  joinTokenId,
} from "../../core/identity/mod.ts";
import { createTestCa } from "../../core/identity/testing.ts";
import { DialError } from "../../core/sessions/errors.ts";
import { listenWebSocket, openJoinConversation } from "../../core/sessions/websocket/mod.ts";
import { member } from "../../core/sessions/websocket/testing.ts";
import { openTestDesk, testNetwork } from "../../plugins/ca/testing.ts";
import { type CaScene, createCaScene, joinAt } from "./fixtures/ca_scene.ts";
import { transports } from "./fixtures/transports.ts";
import { within } from "./fixtures/within.ts";

/** Every join is over, one way or the other, when it is a refusal. */
function refusal(error: unknown): string {
  if (error instanceof JoinError) return String(error.fields["reason"] ?? error.code);
  if (error instanceof DialError) return "turned away";
  throw error;
}

async function assertStillJoins(scene: CaScene): Promise<void> {
  for (const door of [scene.doors.listener, scene.doors.relay]) {
    const { certificatePem } = await within("a good join", joinAt(door, scene.desk.token()));
    assert.match(certificatePem, /BEGIN CERTIFICATE/);
  }
  assert.equal(scene.desk.ledger.audit.verify().brokenAt, null);
}

for (const transport of transports) {
  for (const door of ["listener", "relay"] as const) {
    const way = door === "listener" ? "at the CA" : `through a relay over ${transport}`;
    // The CA's own door has nothing to do with the relay's link.
    if (door === "listener" && transport === "websocket") continue;

    Deno.test(`50 joins at once ${way} with a single-use token: one node gets a certificate`, async () => {
      await using scene = await createCaScene(transport);
      const token = scene.desk.token();
      const before = scene.counts();
      const outcomes = await within(
        "50 joins",
        Promise.all(
          Array.from(
            { length: 50 },
            () => joinAt(scene.doors[door], token).then(() => "joined", refusal),
          ),
        ),
      );
      const counted = Map.groupBy(outcomes, (outcome) => outcome);
      assert.equal(counted.get("joined")?.length, 1, JSON.stringify(outcomes));
      for (const [outcome] of counted) {
        assert.ok(["joined", "token already used", "turned away"].includes(outcome), outcome);
      }
      const after = scene.counts();
      assert.deepEqual(after, { uses: before.uses + 1, issued: before.issued + 1 });
      await assertStillJoins(scene);
    });

    Deno.test(`an invite used ${way} is worth nothing to whoever steals it`, async () => {
      await using scene = await createCaScene(transport);
      const token = scene.desk.token();
      const caFingerprint = scene.desk.authority.anchor.fingerprint;
      const key = generateNodeKey();
      const first = await joinAt(scene.doors[door], token, { key, caFingerprint });
      const after = scene.counts();
      for (const stolen of [scene.doors.listener, scene.doors.relay]) {
        await assert.rejects(
          joinAt(stolen, token, { caFingerprint }),
          (error) => error instanceof JoinError && refusal(error) === "token already used",
        );
      }
      // The node itself may ask again, as after a lost answer: it is told the same, and nothing is used up.
      assert.deepEqual(await joinAt(scene.doors[door], token, { key, caFingerprint }), first);
      assert.deepEqual(scene.counts(), after);
      await assertStillJoins(scene);
    });

    Deno.test(`a join recorded ${way} and played again gets nothing, nor does a CA that plays its part of it`, async () => {
      await using scene = await createCaScene(transport);
      const token = scene.desk.token({ maxUses: 0 });
      const said: Uint8Array[] = [];
      const heard: Uint8Array[] = [];
      await using recorder = await listenWebSocket({
        host: "127.0.0.1",
        port: 0,
        policy: await member(await createTestCa()),
        onJoin: (conversation) =>
          carry(conversation, scene.doors[door], {
            up: (message) => (said.push(message.slice()), message),
            down: (message) => (heard.push(message.slice()), message),
          }),
      });
      await joinAt(recorder.address, token);
      assert.equal(said.length, 2);
      const before = scene.counts();
      for (const target of [scene.doors.listener, scene.doors.relay]) {
        await using conversation = await openJoinConversation({
          ...target,
          signal: new AbortController().signal,
        });
        await conversation.send(said[0]!);
        assert.ok(decodeChallenge((await within("a challenge", conversation.receive()))!));
        await conversation.send(said[1]!);
        const answer = decodeAnswer((await within("an answer", conversation.receive()))!);
        assert.equal(answer.certificate.length, 0);
        assert.equal(answer.reason, "invalid join token");
      }
      assert.deepEqual(scene.counts(), before);

      await using player = await listenWebSocket({
        host: "127.0.0.1",
        port: 0,
        policy: await member(await createTestCa()),
        onJoin: async (conversation) => {
          for (const message of heard) {
            if (await conversation.receive() === null) return;
            await conversation.send(message);
          }
        },
      });
      await assert.rejects(
        joinAt(player.address, token),
        (error) => error instanceof JoinError && error.code === "JOIN_TOKEN_INVALID",
      );
      await assertStillJoins(scene);
    });
  }
}

Deno.test("a relay that lies to who joins through it neither learns a token nor slips in a key, a certificate or a CA", async () => {
  await using scene = await createCaScene("quic");
  await using foreign = await openTestDesk();
  const { anchor } = scene.desk.authority;
  const own = generateNodeKey();
  const csr = await createCsr(own, testNetwork);
  const evil = (await foreign.join(foreign.token(), { key: own })).certificatePem;
  const evilDer = Uint8Array.fromBase64(evil.replace(/-----[^-]+-----|\s/g, ""));
  const token = scene.desk.token({ maxUses: 0 });
  const seen: Uint8Array[] = [];
  const keep = (message: Uint8Array) => (seen.push(message.slice()), message);
  const lies: { what: string; up?: Change; down?: Change; instead?: Serve }[] = [
    {
      what: "its own key in the hello",
      up: (m) =>
        joinTypeOf(m) === joinMessageType.hello
          ? encodeHello({ ...decodeHello(m), publicKey: own.publicKey })
          : m,
    },
    {
      what: "its own request",
      up: (m) =>
        joinTypeOf(m) === joinMessageType.request ? encodeRequest({ ...decodeRequest(m), csr }) : m,
    },
    {
      what: "another CA in the challenge",
      down: (m) =>
        joinTypeOf(m) === joinMessageType.challenge
          ? encodeChallenge({ ...decodeChallenge(m), caCertificate: foreign.authority.anchor.der })
          : m,
    },
    {
      what: "another certificate in the answer",
      down: (m) =>
        joinTypeOf(m) === joinMessageType.answer
          ? encodeAnswer({ ...decodeAnswer(m), certificate: evilDer })
          : m,
    },
    {
      what: "a refusal that the CA did not give",
      down: (m) =>
        joinTypeOf(m) === joinMessageType.answer
          ? encodeAnswer({
            certificate: new Uint8Array(0),
            reason: "go away",
            mac: new Uint8Array(32),
          })
          : m,
    },
    { what: "a CA of its own", instead: (conversation) => foreign.desk.serve(conversation) },
  ];
  for (const { what, up = unchanged, down = unchanged, instead } of lies) {
    await using relay = await listenWebSocket({
      host: "127.0.0.1",
      port: 0,
      policy: await member(await createTestCa()),
      onJoin: instead ?? ((conversation) =>
        carry(conversation, scene.doors.listener, {
          up: (message) => up(keep(message)),
          down: (message) => down(keep(message)),
        })),
    });
    await assert.rejects(joinAt(relay.address, token), JoinError, what);
    const options = { caFingerprint: anchor.fingerprint };
    await assert.rejects(
      joinAt(relay.address, token, options),
      JoinError,
      `${what}, with an invite`,
    );
  }
  assert.equal(scene.desk.ledger.nodes.byTokenUse(joinTokenId(token), own.publicKey), undefined);
  const everything = seen.map((message) => message.toHex()).join(" ");
  assert.ok(everything.length > 0);
  assert.ok(!everything.includes(new TextEncoder().encode(token).toHex()), "the token travelled");
  assert.ok(!everything.includes(token.toLowerCase()), "the token's bytes travelled");
  await assertStillJoins(scene);
});

type Change = (message: Uint8Array) => Uint8Array;

const unchanged: Change = (message) => message;

type Serve = (conversation: JoinConversation) => Promise<void>;

/** Carries a join on to another door, and may change what is said. */
async function carry(
  stranger: JoinChannel,
  door: { readonly host: string; readonly port: number },
  changes: { readonly up: Change; readonly down: Change },
): Promise<void> {
  await using onward = await openJoinConversation({
    ...door,
    signal: new AbortController().signal,
  });
  for (;;) {
    const question = await stranger.receive();
    if (question === null) return;
    await onward.send(changes.up(question));
    const answer = await onward.receive();
    if (answer === null) return;
    await stranger.send(changes.down(answer));
  }
}

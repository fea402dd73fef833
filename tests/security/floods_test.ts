import assert from "node:assert/strict";
import { makeRecord, recordsMessage, wantMessage } from "../../core/gossip/testing.ts";
import { controlKind } from "../../core/node/control_channel.ts";
import { until } from "../../core/node/testing.ts";
import type { ByteStream, Session } from "../../core/sessions/types.ts";
import { FrameFlag, FrameType } from "../../core/sessions/yamux/frame.ts";
import { frame } from "../../core/sessions/yamux/testing.ts";
import { rawTls } from "../../core/sessions/websocket/raw_client.ts";
import { frame32, streamKind } from "../../core/streams/mod.ts";
import { encodeHeader, encodeRequest } from "../../core/streams/stream_header.ts";
import { concat } from "./fixtures/bytes.ts";
import { openHalfLink } from "./fixtures/half_link.ts";
import { Member } from "./fixtures/member.ts";
import { assertBounded, assertFlat } from "./fixtures/memory.ts";
import { RawQuic } from "./fixtures/raw_quic.ts";
import { RogueControl } from "./fixtures/rogue_control.ts";
import { createScene, type Scene } from "./fixtures/scene.ts";
import { TcpClient } from "./fixtures/tcp_client.ts";
import { transports } from "./fixtures/transports.ts";
import { pause, within } from "./fixtures/within.ts";

/** A member linked to the victim. */
async function enter(scene: Scene): Promise<{ member: Member; session: Session }> {
  const member = await Member.create(await scene.ca.issue(), scene.transport);
  return { member, session: await member.dial(scene.address, scene.victim.id) };
}

/** The beginning of a stream to the victim's echo. */
function echoOpening(scene: Scene, member: Member): Uint8Array {
  const path = [member.id, scene.victim.id];
  return concat(
    encodeHeader({ path, position: 1, protocol: "echo", port: 0 }),
    encodeRequest({ protocol: "echo", target: undefined, port: 0 }),
  );
}

/** Opens streams until there is no more room, or so many. */
async function openMany(session: Session, count: number): Promise<ByteStream[]> {
  const streams: ByteStream[] = [];
  while (streams.length < count) {
    // Room comes at once or not at all: nobody ends a stream meanwhile.
    const impatient = AbortSignal.timeout(1_000);
    try {
      streams.push(await session.openStream({ signal: impatient }));
    } catch (error) {
      if (!impatient.aborted) throw error;
      break;
    }
  }
  return streams;
}

for (const transport of transports) {
  Deno.test(`over ${transport}, streams without end are limited, and leave nothing behind`, async () => {
    await using scene = await createScene(transport);
    const { member, session } = await enter(scene);
    await using _gone = member;
    const openings = [
      new Uint8Array(0),
      Uint8Array.of(streamKind.mesh),
      Uint8Array.of(streamKind.control),
      Uint8Array.of(99),
      echoOpening(scene, member),
    ];
    await assertFlat("streams opened and reset", { warmUp: 4, rounds: 20 }, async (round) => {
      const streams = await openMany(session, 500);
      const opening = openings[round % openings.length]!;
      await Promise.all(streams.map(async (stream) => {
        if (opening.length > 0) {
          await stream.write(opening).catch(() => {/* ended by the victim */});
        }
        stream.reset();
      }));
    });
    // And held: as many as the victim allows, each at work.
    const held = await openMany(session, 5_000);
    assert.ok(held.length <= 1_025, `${held.length} streams at once`);
    await Promise.all(held.map((stream) => stream.write(echoOpening(scene, member))));
    await scene.assertServes();
  });

  Deno.test(`over ${transport}, a member that never reads is not buffered for`, async () => {
    await using scene = await createScene(transport);
    const { member, session } = await enter(scene);
    await using _gone = member;
    // Both ends' windows of 40 streams, each way, and what the kernel and the carrier hold in between.
    await assertBounded("40 streams of a member that never reads", 400, async () => {
      const chunk = new Uint8Array(256 * 1024);
      let taken = 0;
      const streams = await openMany(session, 40);
      const writing = streams.map(async (stream) => {
        await stream.write(echoOpening(scene, member));
        for (let n = 0; n < 200; n++) {
          await stream.write(chunk);
          taken += chunk.length;
        }
      });
      void Promise.allSettled(writing);
      // Until nothing more is taken.
      for (let before = -1; before !== taken;) {
        before = taken;
        await pause(400);
      }
      assert.ok(taken < 40 * 200 * chunk.length, "everything was taken");
    });
    await scene.assertServes();
    await session.close();
    await scene.assertServes();
  });

  Deno.test(`over ${transport}, a member that asks and never listens is not buffered for`, async () => {
    await using scene = await createScene(transport);
    const { member, session } = await enter(scene);
    await using _gone = member;
    const stream = await session.openStream();
    await stream.write(Uint8Array.of(streamKind.control));
    const want = concat(Uint8Array.of(controlKind.gossip), wantMessage(scene.friend.id));
    // Each of these is answered with a record of a kilobyte and more, as long as there is room for it.
    await assertBounded("20,000 records asked for", 96, async () => {
      for (let n = 0; n < 40; n++) {
        await within(
          "the questions to be taken",
          stream.write(concat(...Array<Uint8Array>(500).fill(frame32(want)))),
        );
      }
    });
    await scene.assertServes();
  });

  Deno.test(`over ${transport}, a flood of datagrams costs nothing that lasts`, async () => {
    await using scene = await createScene(transport);
    const { member, session } = await enter(scene);
    await using _gone = member;
    const payloads = [1, 13, 1_000].map((length) => new Uint8Array(length).fill(1));
    await assertFlat("datagrams", { warmUp: 3, rounds: 15 }, async () => {
      for (let n = 0; n < 3_000; n++) {
        session.sendDatagram(payloads[n % payloads.length]!);
        if (n % 50 === 0) await pause(0);
      }
    });
    await scene.assertServes();
  });

  Deno.test(`over ${transport}, sessions come and go by the hundred without a trace`, async () => {
    await using scene = await createScene(transport);
    const stranger = await scene.ca.forge.foreignCa();
    await using refused = await Member.create({ ...stranger, anchor: scene.ca.anchor }, transport);
    await using revoked = await Member.create(await scene.ca.issue(), transport);
    await using member = await Member.create(await scene.ca.issue(), transport);
    await scene.victim.revoke([revoked.id]);
    await assertFlat("sessions", { warmUp: 30, rounds: 120 }, async () => {
      await Promise.all([
        assert.rejects(refused.dial(scene.address, scene.victim.id)),
        assert.rejects(revoked.dial(scene.address, scene.victim.id)),
        member.dial(scene.address, scene.victim.id).then((session) => session.close()),
      ]);
    });
    await until("the last is gone", () => scene.victim.linkedPeers().length === 1);
    await scene.assertServes();
  });

  Deno.test(`over ${transport}, one member cannot hold sessions without end`, async () => {
    await using scene = await createScene(transport);
    await using member = await Member.create(await scene.ca.issue(), transport);
    const open = new Set<Session>();
    for (let n = 0; n < 60; n++) {
      const session = await member.dial(scene.address, scene.victim.id);
      open.add(session);
      void session.closed.then(() => open.delete(session));
      // Streams at work are what keeps a replaced session.
      for (let k = 0; k < 2; k++) {
        const stream = await session.openStream();
        await stream.write(echoOpening(scene, member));
      }
    }
    await until("all but a few are closed", () => open.size <= 8);
    assert.ok(scene.victim.link(member.id), "the member itself is still linked");
    await scene.assertServes();
  });

  Deno.test(`over ${transport}, gossip by the thousand is limited and leaves nothing behind`, async () => {
    await using scene = await createScene(transport);
    const { member, session } = await enter(scene);
    await using _gone = member;
    const control = await RogueControl.open(session);
    const strangers = await Promise.all(
      Array.from({ length: 20 }, () => scene.ca.forge.foreignCa()),
    );
    let sequence = 1;
    await assertFlat("gossip", { warmUp: 5, rounds: 40 }, async () => {
      const own = Array.from(
        { length: 20 },
        () =>
          makeRecord(member.credentials, {
            sequence: sequence++,
            report: { version: `${sequence}` },
          }),
      );
      const forged = strangers.map((credentials) => makeRecord(credentials, { sequence }));
      await control.gossip(recordsMessage([...own, ...forged]));
    });
    await until("the last of it", () => scene.victim.record(member.id) !== undefined);
    assert.equal([...scene.victim.records()].length, 3);
    await scene.assertServes();
  });
}

Deno.test("strangers' connections come and go by the hundred without a trace, on TCP and on UDP", async () => {
  await using web = await createScene("websocket");
  await assertFlat("TCP and TLS", { warmUp: 20, rounds: 60 }, async () => {
    using tcp = await TcpClient.connect(web.address);
    await tcp.write(Uint8Array.of(22, 3, 1));
    const socket = await rawTls(web.address);
    socket.destroy();
  });
  await web.assertServes();
  await using quic = await createScene("quic");
  await assertFlat("QUIC", { warmUp: 20, rounds: 60 }, async () => {
    using raw = await RawQuic.connect(quic.address, quic.ca);
    await (await raw.openStream()).write(Uint8Array.of(22));
  });
  await quic.assertServes();
});

Deno.test("100,000 yamux streams opened in one message each are refused or reset, and cost nothing that lasts", async () => {
  await using scene = await createScene("websocket");
  const credentials = await scene.ca.issue();
  await using link = await openHalfLink(scene, credentials);
  await link.welcome();
  await until("the link", () => scene.victim.link(credentials.key.id));
  let id = 1;
  await assertFlat("SYN and RST", { warmUp: 4, rounds: 20 }, async () => {
    const frames: Uint8Array[] = [];
    for (let n = 0; n < 4_000; n++) {
      id += 2;
      frames.push(
        frame(FrameType.windowUpdate, FrameFlag.syn, id),
        frame(FrameType.windowUpdate, FrameFlag.rst, id),
      );
    }
    const sent = Promise.withResolvers<void>();
    link.socket!.send(concat(...frames), { binary: true }, () => sent.resolve());
    await within("the flood to be taken", sent.promise);
    await pause(10);
  });
  await scene.assertServes();
});

Deno.test("a node with more links than its record can name goes on", async () => {
  await using scene = await createScene("websocket");
  await using members = new AsyncDisposableStack();
  for (let n = 0; n < 260; n++) {
    const { member, session } = await enter(scene);
    members.use(member);
    // Speaking gossip, as nodes do: then the victim reports the link.
    if (n % 20 === 0) await RogueControl.open(session);
  }
  assert.ok(scene.victim.linkedPeers().length > 256);
  await scene.assertServes();
  await members.disposeAsync();
  await until("all of them gone", () => scene.victim.linkedPeers().length === 1);
  await scene.assertServes();
});

import assert from "node:assert/strict";
import { generateNodeKey } from "../../core/identity/mod.ts";
import type { NodeId } from "../../core/identity/types.ts";
import type { Session } from "../../core/sessions/types.ts";
import { tlsConnect } from "../../core/sessions/tls/mod.ts";
import { BufferedStream, readFrame16, type StreamHeader } from "../../core/streams/mod.ts";
import { streamStatus } from "../../core/streams/errors.ts";
import {
  decodeAnswer,
  encodeHeader,
  encodeRequest,
  maxStatusBytes,
} from "../../core/streams/stream_header.ts";
import { Member } from "./fixtures/member.ts";
import { createScene } from "./fixtures/scene.ts";
import { countedEcho } from "./fixtures/served.ts";
import { transports } from "./fixtures/transports.ts";
import { within } from "./fixtures/within.ts";

const echo = { protocol: "echo", port: 0 } as const;
const sealedEcho = encodeRequest({ protocol: "echo", target: undefined, port: 0 });

/** What a stream that begins with these bytes comes to: the hop's answer, or a reset without one. */
async function outcome(session: Session, ...bytes: readonly Uint8Array[]): Promise<string> {
  const stream = new BufferedStream(await session.openStream());
  try {
    for (const part of bytes) await stream.write(part);
    const answer = await within("an answer", readFrame16(stream, maxStatusBytes));
    const { status, hop } = decodeAnswer(answer);
    const name = Object.entries(streamStatus).find(([, number]) => number === status)?.[0];
    return `${name} ${hop}`;
  } catch (error) {
    if (!(error instanceof Error) || /not within/.test(error.message)) throw error;
    return "reset";
  } finally {
    stream.reset();
  }
}

/** Ids nobody has. */
function strangers(count: number): NodeId[] {
  return Array.from({ length: count }, () => generateNodeKey().id);
}

for (const transport of transports) {
  Deno.test(`over ${transport}, a path that is not a path is refused before anything is opened or dialled`, async () => {
    const { hooks, served } = countedEcho();
    await using scene = await createScene(transport, { victim: { hooks } });
    const { victim, friend } = scene;
    await using rogue = await Member.create(await scene.ca.issue(), transport);
    const session = await rogue.dial(scene.address, victim.id);
    const [self, other] = [rogue.id, strangers(1)[0]!];
    const head = (path: readonly NodeId[], position = 1, more: Partial<StreamHeader> = {}) =>
      encodeHeader({ path, position, ...echo, ...more });
    const at = (status: string) => `${status} ${victim.id}`;

    const malformed: [string, Uint8Array][] = [
      ["a loop over the victim", head([self, victim.id, friend.id, victim.id])],
      ["a loop over the sender", head([self, victim.id, self])],
      ["the same node twice in a row", head([self, victim.id, victim.id])],
      ["18 nodes", head([self, victim.id, ...strangers(16)])],
      ["a place behind the path", head([self, victim.id], 2)],
      ["place 0", head([victim.id, friend.id], 0)],
      ["a path of one", head([victim.id], 0)],
      ["a protocol name that is none", head([self, victim.id], 1, { protocol: "Echo\n" })],
      ["an endless protocol name", head([self, victim.id], 1, { protocol: "e".repeat(65) })],
      ["a port that is none", head([self, victim.id], 1, { port: 65_536 })],
      ["an unknown kind of stream", Uint8Array.of(3)],
      ["more header than there may be", Uint8Array.of(2, 0xff, 0xff, 0)],
    ];
    for (const [what, bytes] of malformed) {
      assert.equal(await outcome(session, bytes, sealedEcho), "reset", what);
    }
    const refused: [string, Uint8Array, string][] = [
      ["a previous hop that is not the sender", head([friend.id, victim.id]), "STREAM_BAD_REQUEST"],
      ["a detour that did not happen", head([self, other, victim.id], 2), "STREAM_BAD_REQUEST"],
      ["another node's place", head([self, friend.id, victim.id]), "STREAM_BAD_REQUEST"],
      ["a next hop without a link", head([self, victim.id, other]), "STREAM_NO_LINK"],
      ["17 nodes, the third unknown", head([self, victim.id, ...strangers(15)]), "STREAM_NO_LINK"],
    ];
    for (const [what, bytes, status] of refused) {
      assert.equal(await outcome(session, bytes, sealedEcho), at(status), what);
    }
    assert.equal(served.length, 0);
    const join = { protocol: "ca.join", port: 0 };
    assert.equal(
      await outcome(
        session,
        head([self, victim.id], 1, join),
        encodeRequest({ ...join, target: undefined }),
      ),
      at("STREAM_NO_PROTOCOL"),
    );
    await victim.revoke([other]);
    assert.equal(
      await outcome(session, head([self, victim.id, friend.id, other])),
      at("STREAM_DENIED"),
    );
    await scene.assertServes();
  });

  Deno.test(`over ${transport}, a request that differs from what the hops were told is not served`, async () => {
    const { hooks, served } = countedEcho();
    await using scene = await createScene(transport, { victim: { hooks } });
    const { victim } = scene;
    await using rogue = await Member.create(await scene.ca.issue(), transport);
    const session = await rogue.dial(scene.address, victim.id);
    const denied = `STREAM_DENIED ${victim.id}`;
    const path = [rogue.id, victim.id];
    const declared = encodeHeader({ path, position: 1, protocol: "dns", port: 53 });
    assert.equal(await outcome(session, declared, sealedEcho), denied, "protocol");
    const port = encodeHeader({ path, position: 1, protocol: "echo", port: 1 });
    assert.equal(await outcome(session, port, sealedEcho), denied, "port");
    // The target's own port is what would be dialled, so it has to be the declared one too.
    const target = encodeRequest({ protocol: "tcp", target: "127.0.0.1:22", port: 80 });
    const web = encodeHeader({ path, position: 1, protocol: "tcp", port: 80 });
    assert.equal(await outcome(session, web, target), `STREAM_TARGET_INVALID ${victim.id}`);
    for (const cut of [0, 1, 2, 5, sealedEcho.length - 1]) {
      const header = encodeHeader({ path, position: 1, ...echo });
      const stream = await session.openStream();
      await stream.write(header);
      if (cut > 0) await stream.write(sealedEcho.subarray(0, cut));
      await stream.closeWrite().catch(() => {/* refused already */});
      const rest = await within("the end", stream.read().catch(() => null));
      assert.equal(rest, null, `a request cut after ${cut} bytes`);
      stream.reset();
    }
    assert.equal(served.length, 0);
    await scene.assertServes();
  });

  Deno.test(`over ${transport}, through relays the origin a path names has to prove itself`, async () => {
    const { hooks, served } = countedEcho();
    await using scene = await createScene(transport, { victim: { hooks } });
    const { victim, friend } = scene;
    await using rogue = await Member.create(await scene.ca.issue(), transport);
    const session = await rogue.dial(scene.address, victim.id);
    const foreign = await scene.ca.forge.foreignCa();
    // As if it relayed for the friend, it speaks the end-to-end handshake itself: as itself, as a stranger with the friend's name.
    for (const credentials of [rogue.credentials, { ...foreign, anchor: scene.ca.anchor }]) {
      const stream = new BufferedStream(await session.openStream());
      const path = [friend.id, rogue.id, victim.id];
      await stream.write(encodeHeader({ path, position: 2, ...echo }));
      decodeAnswer(await readFrame16(stream, maxStatusBytes));
      await assert.rejects((async () => {
        const tls = await tlsConnect(stream, {
          credentials,
          expect: victim.id,
          network: scene.ca.network,
          now: Date.now(),
          signal: AbortSignal.timeout(20_000),
        });
        await tls.write(sealedEcho);
        if (await tls.read() === null) throw new Error("ended");
      })());
      stream.reset();
    }
    assert.equal(served.length, 0);
    await scene.assertServes();
    assert.ok(served.every(({ origin }) => origin.id !== rogue.id));
  });
}

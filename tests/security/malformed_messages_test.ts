import assert from "node:assert/strict";
import { makeRecord, recordsMessage } from "../../core/gossip/testing.ts";
import { generateNodeKey } from "../../core/identity/mod.ts";
import { controlKind, maxControlMessage } from "../../core/node/control_channel.ts";
import { until } from "../../core/node/testing.ts";
import {
  encodeLinkMessage,
  type LinkHello,
  linkProtocolVersion,
} from "../../core/sessions/link/link_message.ts";
import { SessionCloseCode } from "../../core/sessions/types.ts";
import { streamKind } from "../../core/streams/mod.ts";
import { concat, say, u16, u32 } from "./fixtures/bytes.ts";
import { openHalfLink } from "./fixtures/half_link.ts";
import { Member } from "./fixtures/member.ts";
import { RogueControl } from "./fixtures/rogue_control.ts";
import { createScene } from "./fixtures/scene.ts";
import { transports } from "./fixtures/transports.ts";
import { within } from "./fixtures/within.ts";

for (const transport of transports) {
  Deno.test(`over ${transport}, a link hello that is none ends the connection, and nobody is linked`, async () => {
    await using scene = await createScene(transport);
    const { certificate } = await scene.ca.issue();
    const good: LinkHello = {
      v: linkProtocolVersion,
      network: scene.ca.network,
      id: certificate.id,
      verified: scene.victim.id,
      transport,
    };
    const whole = encodeLinkMessage(good);
    const other = transport === "quic" ? "websocket" : "quic";
    const hellos: [string, Uint8Array, boolean?][] = [
      ["nothing, and the end", new Uint8Array(0), true],
      ["no length", u16(0)],
      ["too long", concat(u16(4_097), new Uint8Array(100))],
      ["as long as can be", concat(u16(65_535), new Uint8Array(65_535))],
      ["half of one, and the end", whole.subarray(0, whole.length >> 1), true],
      ["its length only, and the end", whole.subarray(0, 2), true],
      ["not MessagePack", concat(u16(4), Uint8Array.of(0xc1, 0xc1, 0xc1, 0xc1))],
      [
        "a map that announces 4 billion entries",
        concat(u16(5), Uint8Array.of(0xdf), u32(0xffffffff)),
      ],
      ["a text that announces 4 GB", concat(u16(5), Uint8Array.of(0xdb), u32(0xffffffff))],
      ["nested without end", concat(u16(4_096), new Uint8Array(4_096).fill(0x91))],
      ["a welcome", encodeLinkMessage({ ok: true, v: 1, network: "n", id: certificate.id })],
      ["a refusal", encodeLinkMessage({ ok: false, code: 5, reason: "\u001b[2J" })],
      ["more than was asked for", concat(whole, Uint8Array.of(1))],
      ["another network", encodeLinkMessage({ ...good, network: "other" })],
      ["another version", encodeLinkMessage({ ...good, v: 2 })],
      ["another transport", encodeLinkMessage({ ...good, transport: other })],
      ["meant for another node", encodeLinkMessage({ ...good, verified: generateNodeKey().id })],
      ["in another node's name", encodeLinkMessage({ ...good, id: scene.friend.id })],
    ];
    await Promise.all(hellos.map(async ([what, bytes, end]) => {
      const credentials = await scene.ca.issue();
      await using link = await openHalfLink(scene, credentials);
      // The hello of the right id, wherever the id is not what is wrong.
      const own = what === "more than was asked for" || what.startsWith("another") ||
        what.startsWith("meant");
      await say(link.hello, own ? rename(bytes, certificate.id, credentials.key.id) : bytes, end);
      const code = await link.ended();
      assert.notEqual(code, SessionCloseCode.normal, what);
      assert.equal(scene.victim.link(credentials.key.id), undefined, what);
    }));
    scene.assertNothingGained();
    await scene.assertServes();
  });

  Deno.test(`over ${transport}, streams before the welcome are nobody's`, async () => {
    await using scene = await createScene(transport);
    const credentials = await scene.ca.issue();
    await using link = await openHalfLink(scene, credentials);
    try {
      for (let n = 0; n < 50; n++) {
        const stream = await link.openStream();
        await say(
          stream,
          concat(Uint8Array.of(streamKind.control), u32(2_000), new Uint8Array(2_000)),
        );
      }
    } catch {
      // The connection was ended before all were opened.
    }
    await link.ended();
    scene.assertNothingGained();
    await scene.assertServes();
  });

  Deno.test(`over ${transport}, control messages out of bounds end the channel, and the node listens to the next`, async () => {
    await using scene = await createScene(transport);
    const credentials = await scene.ca.issue();
    await using member = await Member.create(credentials, transport);
    const session = await member.dial(scene.address, scene.victim.id);
    const gossip = Uint8Array.of(controlKind.gossip);
    const endings: [string, Uint8Array, boolean][] = [
      ["4 GB announced", u32(0xffffffff), false],
      ["one byte more than allowed", u32(maxControlMessage + 1), false],
      ["cut in its length", u32(7).subarray(0, 3), true],
      ["cut in its body", concat(u32(1_000), gossip, new Uint8Array(500)), true],
    ];
    for (const [what, bytes, end] of endings) {
      const control = await RogueControl.open(session);
      await say(control.stream, bytes, end);
      await within(what, control.ended);
    }
    const control = await RogueControl.open(session);
    const second = await RogueControl.open(session);
    await within("a second channel is not wanted", second.ended);
    const junk: [string, Uint8Array][] = [
      ["empty", new Uint8Array(0)],
      ["gossip without a body", u32(1)],
      ["of a kind nobody knows", concat(Uint8Array.of(200), new Uint8Array(10))],
      ["of the largest size, all zeros", concat(gossip, new Uint8Array(maxControlMessage - 1))],
      [
        "a gossip section longer than its message",
        concat(gossip, Uint8Array.of(1, 2), u32(0xffffffff)),
      ],
      ["a batch cut in a record", concat(gossip, Uint8Array.of(1, 2), u32(40), new Uint8Array(40))],
      [
        "a digest of 2^200 buckets",
        concat(gossip, Uint8Array.of(1, 3), u32(5), u32(1), Uint8Array.of(200)),
      ],
      [
        "1,024 empty wants",
        concat(gossip, Uint8Array.of(1), ...Array(1_024).fill(Uint8Array.of(6, 0, 0, 0, 0))),
      ],
    ];
    for (const [, body] of junk) {
      await say(control.stream, concat(u32(body.length), body));
    }
    await control.gossip(recordsMessage([makeRecord(credentials, { sequence: 77 })]));
    await until("what came after the junk", () => scene.victim.record(member.id)?.sequence === 77);
    await session.close();
    await scene.assertServes();
  });
}

/** The same bytes with one id instead of another of the same length. */
function rename(bytes: Uint8Array, from: string, to: string): Uint8Array {
  const text = (id: string) => new TextEncoder().encode(id).toHex();
  return Uint8Array.fromHex(bytes.toHex().replaceAll(text(from), text(to)));
}

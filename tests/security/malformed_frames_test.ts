import assert from "node:assert/strict";
import { until } from "../../core/node/testing.ts";
import { encodeControlFrames } from "../../core/sessions/quic/control_frames.ts";
import { SessionCloseCode } from "../../core/sessions/types.ts";
import { rawTls, readAll, upgradeRequest } from "../../core/sessions/websocket/raw_client.ts";
import { TestPolicy } from "../../core/sessions/websocket/testing.ts";
import { FrameFlag, FrameType, INITIAL_WINDOW } from "../../core/sessions/yamux/frame.ts";
import { frame } from "../../core/sessions/yamux/testing.ts";
import { concat, say } from "./fixtures/bytes.ts";
import { type HalfLink, openHalfLink } from "./fixtures/half_link.ts";
import { createScene } from "./fixtures/scene.ts";

Deno.test("yamux frames that break a rule end the session, welcome or not", async () => {
  await using scene = await createScene("websocket");
  const data = (flags: number, id: number, body: number | Uint8Array) =>
    frame(FrameType.data, flags, id, body);
  const credit = (flags: number, id: number, length: number) =>
    frame(FrameType.windowUpdate, flags, id, length);
  const { syn, fin } = FrameFlag;
  const broken: [string, Uint8Array][] = [
    ["an empty message", new Uint8Array(0)],
    ["a message of no known kind", Uint8Array.of(9, 9, 9)],
    ["half a header", frame(FrameType.ping, syn, 0, 1).subarray(0, 7)],
    ["half a frame", data(syn, 3, new Uint8Array(100)).subarray(0, 50)],
    ["an unknown type", frame(9 as FrameType, 0, 0)],
    ["data for a stream that never was", data(0, 99, Uint8Array.of(1))],
    ["a stream of the other end's", credit(syn, 2, 0)],
    ["stream 0", credit(syn, 0, 0)],
    ["the same stream twice", concat(credit(syn, 5, 0), credit(syn, 5, 0))],
    ["4 GB in one frame", data(syn, 7, 0xffffffff).subarray(0, 12)],
    ["data beyond the window", data(syn, 7, new Uint8Array(INITIAL_WINDOW + 1))],
    ["credit beyond 32 bits", concat(credit(syn, 7, 0xffffffff), credit(0, 7, 0xffffffff))],
    ["data after the end", concat(credit(syn | fin, 7, 0), data(0, 7, Uint8Array.of(1)))],
    ["GoAway for an error", frame(FrameType.goAway, 0, 0, 1)],
    ["GoAway for no known reason", frame(FrameType.goAway, 0, 0, 77)],
    ["2 MB in one message", concat(Uint8Array.of(1), new Uint8Array(2 * 1024 * 1024))],
  ];
  for (const welcomed of [false, true]) {
    await Promise.all(broken.map(async ([what, bytes]) => {
      await using link = await openHalfLink(scene, await scene.ca.issue());
      if (welcomed) await link.welcome();
      link.socket!.send(bytes, { binary: true }, () => {});
      assert.notEqual(await link.ended(), SessionCloseCode.normal, what);
    }));
  }
  await until("all of them gone", () => scene.victim.linkedPeers().length === 1);
  await scene.assertServes();
});

Deno.test("WebSocket frames that break a rule end the connection", async () => {
  await using scene = await createScene("websocket");
  const mask = [0, 0, 0, 0];
  const frames: [string, number[]][] = [
    ["a frame that is not masked", [0x82, 0x01, 0x00]],
    ["a length of 2^63", [0x82, 0xff, 0x80, 0, 0, 0, 0, 0, 0, 0, ...mask]],
    ["a length of 2^53", [0x82, 0xff, 0, 0x20, 0, 0, 0, 0, 0, 0, ...mask]],
    ["2 MB announced", [0x82, 0xff, 0, 0, 0, 0, 0, 0x20, 0, 0, ...mask]],
    ["a compressed frame", [0xc2, 0x81, ...mask, 0]],
    ["a reserved opcode", [0x83, 0x81, ...mask, 0]],
    ["a continuation of nothing", [0x80, 0x81, ...mask, 0]],
    ["text", [0x81, 0x81, ...mask, 0x41]],
    ["text that is not UTF-8", [0x81, 0x81, ...mask, 0xff]],
    ["a ping of 126 bytes", [0x89, 0xfe, 0, 126, ...mask, ...Array(126).fill(0)]],
    ["a fragmented ping", [0x09, 0x80, ...mask]],
    ["a message in fragments", [
      0x02,
      0x81,
      ...mask,
      0,
      0x00,
      0x81,
      ...mask,
      0,
      0x80,
      0x81,
      ...mask,
      0,
    ]],
    ["a close of one byte", [0x88, 0x81, ...mask, 3]],
    ["a close with a reserved code", [0x88, 0x82, ...mask, 0x03, 0xed]],
  ];
  const attempts = ["/relay", "/join"].flatMap((path) =>
    frames.map(async ([what, bytes]) => {
      const policy = new TestPolicy(scene.ca.network, await scene.ca.issue());
      const socket = await rawTls(scene.address, path === "/relay" ? policy : undefined);
      const all = readAll(socket);
      socket.write(upgradeRequest(path));
      socket.write(Uint8Array.from(bytes));
      assert.match(await all, /^HTTP\/1\.1 101 /, `${what} at ${path}`);
    })
  );
  await Promise.all(attempts);
  scene.assertNothingGained();
  await scene.assertServes();
});

Deno.test("control frames of a QUIC session that break a rule end that session", async () => {
  await using scene = await createScene("quic");
  const resets = Array.from(
    { length: 2_000 },
    (_, n) => ({ kind: "reset", streamId: 4 * (n + 1_000), code: 0 }) as const,
  );
  const broken: [string, (link: HalfLink) => Promise<void>][] = [
    ["an unknown kind", (link) => say(link.hello, new Uint8Array(11).fill(9))],
    [
      "a stream that cannot be",
      (link) => say(link.hello, encodeControlFrames([{ kind: "reset", streamId: 6, code: 0 }])),
    ],
    ["resets of streams that never come", (link) => say(link.hello, encodeControlFrames(resets))],
    ["the end of the control stream", (link) => link.hello.closeWrite()],
    [
      "a frame cut in half, and the end",
      (link) => say(link.hello, new Uint8Array(5).fill(1), true),
    ],
    ["a cut that is no end", (link) => Promise.resolve(link.hello.reset())],
  ];
  await Promise.all(broken.map(async ([what, breakIt]) => {
    await using link = await openHalfLink(scene, await scene.ca.issue());
    await link.welcome();
    await breakIt(link);
    assert.notEqual(await link.ended(), SessionCloseCode.normal, what);
  }));
  await until("all of them gone", () => scene.victim.linkedPeers().length === 1);
  await scene.assertServes();
});

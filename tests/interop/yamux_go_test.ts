import assert from "node:assert/strict";
import { SessionClosedError, StreamResetError } from "../../core/sessions/errors.ts";
import type { ByteStream } from "../../core/sessions/types.ts";
import type { YamuxSession } from "../../core/sessions/yamux/mod.ts";
import { drain, pattern, sha256, within } from "../../core/sessions/compliance/suite_support.ts";
import { labTest } from "../lab/requires.ts";
import { goBuild } from "./go_build.ts";
import { type GoPeer, goYamuxAvailable, runGoPeer } from "./yamux_go_lab.ts";

const MB20 = 20_000_000;
const bytes = (text: string) => new TextEncoder().encode(text);

async function order(session: YamuxSession, command: string, count?: number): Promise<ByteStream> {
  const stream = await within(session.openStream(), "openStream");
  const message = new Uint8Array(count === undefined ? 1 : 5);
  message[0] = command.charCodeAt(0);
  if (count !== undefined) new DataView(message.buffer).setUint32(1, count);
  await stream.write(message);
  return stream;
}

async function readText(stream: ByteStream): Promise<string> {
  let text = "";
  for (;;) {
    const chunk = await within(stream.read(), "read");
    if (chunk === null) return text;
    text += new TextDecoder().decode(chunk);
  }
}

async function echoAll(session: YamuxSession, count: number): Promise<void> {
  const echo = async (stream: ByteStream) => {
    for (let left = 20_000; left > 0;) {
      const chunk = await stream.read();
      assert.ok(chunk !== null);
      left -= chunk.length;
      await stream.write(chunk);
    }
    await stream.closeWrite();
    assert.equal(await stream.read(), null);
  };
  const echoes: Promise<void>[] = [];
  for (let i = 0; i < count; i++) {
    const stream = await within(session.acceptStream(), "acceptStream");
    assert.ok(stream !== null);
    echoes.push(echo(stream));
  }
  await within(Promise.all(echoes), "echoes");
}

async function exchange({ session }: GoPeer): Promise<void> {
  const sent = pattern(MB20, 5);
  const sink = await order(session, "S");
  for (let at = 0; at < sent.length; at += 250_000) {
    await within(sink.write(sent.subarray(at, at + 250_000)), "write");
  }
  await sink.closeWrite();
  assert.equal(await readText(sink), sha256(sent), "20 MB to Go");

  const source = await order(session, "P", MB20);
  const got: Uint8Array[] = [];
  for (;;) {
    const chunk = await within(source.read(), "read from Go");
    if (chunk === null) break;
    got.push(chunk.slice());
  }
  const all = new Uint8Array(got.reduce((sum, chunk) => sum + chunk.length, 0));
  got.reduce((at, chunk) => (all.set(chunk, at), at + chunk.length), 0);
  assert.equal(all.length, MB20 + 64);
  assert.equal(new TextDecoder().decode(all.subarray(MB20)), sha256(all.subarray(0, MB20)));
  await source.closeWrite();
}

async function halfClose({ session }: GoPeer): Promise<void> {
  const stream = await order(session, "H");
  assert.equal(await readText(stream), "bye");
  await stream.write(bytes("still here"));
  await stream.closeWrite();
  await within(stream.closed, "closed");
}

async function reset({ session }: GoPeer): Promise<void> {
  const stream = await order(session, "R");
  assert.deepEqual(await within(stream.read(), "ready"), bytes("r"));
  await stream.write(bytes("going to vanish"));
  stream.reset(9);
  await assert.rejects(stream.read(), StreamResetError);
}

async function pings({ session }: GoPeer): Promise<void> {
  assert.ok(await within(session.ping(), "ping") >= 0);
  const stream = await order(session, "I");
  assert.equal(await readText(stream), "true");
  await stream.closeWrite();
}

async function manyStreams({ session }: GoPeer): Promise<void> {
  const control = await order(session, "O", 200);
  await echoAll(session, 200);
  assert.equal(await readText(control), "0");
  await control.closeWrite();
  await within(
    Promise.all(Array.from({ length: 300 }, async (_, i) => {
      const stream = await order(session, "E");
      const message = pattern(10_000, i);
      const [, echoed] = await Promise.all([
        stream.write(message).then(() => stream.closeWrite()),
        drain(stream),
      ]);
      assert.equal(echoed.sha256, sha256(message));
    })),
    "300 streams to Go",
  );
}

async function goAway({ session }: GoPeer): Promise<void> {
  const open = await order(session, "E");
  const stream = await order(session, "G");
  assert.equal(await readText(stream), "gone");
  await stream.closeWrite();
  await assert.rejects(session.openStream(), SessionClosedError);
  await open.write(bytes("what was open goes on"));
  await open.closeWrite();
  assert.equal(await readText(open), "what was open goes on");
}

labTest(
  "yamux and Go's hashicorp/yamux understand each other, in both roles",
  {},
  async (t) => {
    const directory = await Deno.makeTempDir({ prefix: "pulse-yamux-go-" });
    try {
      const binary = await goBuild(directory, "yamux_go_peer.go");
      for (const role of ["client", "server"] as const) {
        await t.step(
          `as the ${role}: data, half-close, reset, pings, streams, GoAway`,
          async () => {
            await using peer = await runGoPeer(binary, role);
            await exchange(peer);
            await halfClose(peer);
            await reset(peer);
            await pings(peer);
            await manyStreams(peer);
            await goAway(peer);
            await peer.session.close();
            assert.match(await peer.output(), /reset: connection reset/);
          },
        );
      }
      await t.step(
        "streams beyond Go's backlog are reset by Go, and that is seen here",
        async () => {
          await using peer = await runGoPeer(binary, "client", 4);
          const streams = await Promise.all(
            Array.from({ length: 6 }, () => order(peer.session, "E")),
          );
          const ends = await Promise.allSettled(
            streams.slice(4).map((stream) => within(stream.read(), "reset by Go")),
          );
          for (const end of ends) {
            assert.ok(end.status === "rejected" && end.reason instanceof StreamResetError);
          }
        },
      );
    } finally {
      await Deno.remove(directory, { recursive: true });
    }
  },
  goYamuxAvailable(),
);

import assert from "node:assert/strict";
import { SessionClosedError, StreamLimitError, StreamResetError } from "../errors.ts";
import { drain, pattern, sha256, within } from "../compliance/suite_support.ts";
import { FrameFlag, FrameType, GoAwayCode } from "./frame.ts";
import { frame, MemoryPipe, memoryPipes, parseFrames } from "./testing.ts";
import { type YamuxLimits } from "./yamux_limits.ts";
import { YamuxSession } from "./yamux_session.ts";

const now = () => performance.now();

function pair(
  options: {
    limits?: Partial<YamuxLimits>;
    maxQueued?: number;
    cut?: (chunk: Uint8Array) => Uint8Array[];
  } = {},
) {
  const [near, far] = memoryPipes(options);
  const { limits = {} } = options;
  const client = new YamuxSession(near, { role: "client", now, limits });
  const server = new YamuxSession(far, { role: "server", now, limits });
  return {
    client,
    server,
    near,
    far,
    async [Symbol.asyncDispose]() {
      await Promise.all([client.close(), server.close()]);
    },
  };
}

/** A session whose peer is done by hand. */
function alone(role: "client" | "server", limits: Partial<YamuxLimits> = {}) {
  const [near, far] = memoryPipes();
  return { session: new YamuxSession(near, { role, now, limits }), near, far };
}

/** Reads frames until `wanted` finds one. */
async function readUntil(pipe: MemoryPipe, wanted: (type: number, flags: number) => boolean) {
  for (;;) {
    const chunk = await within(pipe.read(), "frame");
    assert.ok(chunk !== null, "the pipe ended before the frame came");
    const found = parseFrames(chunk).find((f) => wanted(f.type, f.flags));
    if (found !== undefined) return found;
  }
}

Deno.test("data survives a pipe that hands over single bytes", async () => {
  await using ends = pair({
    cut: (chunk) => Array.from(chunk, (_, i) => chunk.slice(i, i + 1)),
    maxQueued: 5000,
  });
  const stream = await ends.client.openStream();
  const bytes = pattern(20_000, 1);
  const sending = stream.write(bytes).then(() => stream.closeWrite());
  const accepted = await within(ends.server.acceptStream(), "acceptStream");
  assert.ok(accepted !== null);
  assert.equal((await drain(accepted)).sha256, sha256(bytes));
  await sending;
});

Deno.test("a stream's window grows to 4 MiB for a reader that keeps up, and is the bound from then on", async () => {
  await using ends = pair({ maxQueued: 64 * 1024 });
  const stream = await ends.client.openStream();
  let written = 0;
  const writing = (async () => {
    const chunk = new Uint8Array(64 * 1024);
    for (;;) {
      await stream.write(chunk);
      written += chunk.length;
    }
  })();
  const ended = assert.rejects(writing, StreamResetError);
  const accepted = await within(ends.server.acceptStream(), "acceptStream");
  assert.ok(accepted !== null);
  let read = 0;
  while (read < 64 * 1024 * 1024) {
    const chunk = await within(accepted.read(), "read");
    assert.ok(chunk !== null);
    read += chunk.length;
  }
  for (let last = -1; last !== written;) {
    last = written;
    for (let i = 0; i < 50; i++) await ends.client.ping();
  }
  const unread = written - read;
  assert.ok(unread > 2_000_000 && unread <= 4 * 1024 * 1024, `${unread} bytes unread`);
  stream.reset();
  await ended;
});

Deno.test("an unread stream takes its window and no more, however long the writer tries", async () => {
  await using ends = pair();
  const stream = await ends.client.openStream();
  let written = 0;
  const writing = (async () => {
    for (;;) {
      await stream.write(new Uint8Array(16 * 1024));
      written += 16 * 1024;
    }
  })();
  const ended = assert.rejects(writing, StreamResetError);
  for (let i = 0; i < 50; i++) await ends.client.ping();
  assert.equal(written, 256 * 1024);
  stream.reset();
  await ended;
});

Deno.test("two reads or two writes at once are refused, the first goes on", async () => {
  await using ends = pair();
  const stream = await ends.client.openStream();
  const first = stream.read();
  await assert.rejects(stream.read(), { code: "SESSION_STREAM_BUSY" });
  const big = stream.write(new Uint8Array(1_000_000));
  await assert.rejects(stream.write(Uint8Array.of(1)), { code: "SESSION_STREAM_BUSY" });
  const accepted = await ends.server.acceptStream();
  assert.ok(accepted !== null);
  await accepted.write(Uint8Array.of(9));
  assert.deepEqual(await first, Uint8Array.of(9));
  const reading = drain(accepted);
  await big;
  await stream.closeWrite();
  assert.equal((await reading).length, 1_000_000);
});

Deno.test("closing during a write sends the rest and then the end", async () => {
  await using ends = pair();
  const stream = await ends.client.openStream();
  const bytes = pattern(700_000, 3);
  const writing = stream.write(bytes);
  const closing = stream.closeWrite();
  const accepted = await ends.server.acceptStream();
  assert.ok(accepted !== null);
  assert.equal((await drain(accepted)).sha256, sha256(bytes));
  await Promise.all([writing, closing]);
});

Deno.test("what was received of a stream that ended cleanly stays readable after the session", async () => {
  await using ends = pair();
  const stream = await ends.client.openStream();
  await stream.write(new TextEncoder().encode("kept"));
  await stream.closeWrite();
  const accepted = await ends.server.acceptStream();
  assert.ok(accepted !== null);
  await accepted.closeWrite();
  await within(stream.closed, "closed");
  await ends.client.close();
  await within(ends.server.closed, "server closed");
  assert.equal((await drain(accepted)).length, 4);
});

Deno.test("many openers wait at the limit in order, and an aborted one gets a StreamLimitError", async () => {
  await using ends = pair({ limits: { maxIncomingStreams: 2 } });
  const [first] = [await ends.client.openStream(), await ends.client.openStream()];
  const order: string[] = [];
  const controller = new AbortController();
  const a = ends.client.openStream().then((stream) => (order.push("a"), stream));
  const b = ends.client.openStream({ signal: controller.signal });
  const c = ends.client.openStream().then((stream) => (order.push("c"), stream));
  const bEnd = assert.rejects(b, StreamLimitError);
  controller.abort();
  await bEnd;
  first.reset();
  (await within(a, "a")).reset();
  await within(c, "c");
  assert.deepEqual(order, ["a", "c"]);
});

Deno.test("closing wakes everybody who waits: openers, acceptors, pings", async () => {
  const ends = pair({ limits: { maxIncomingStreams: 1 } });
  await ends.client.openStream();
  const waiting = [
    assert.rejects(ends.client.openStream(), SessionClosedError),
    ends.client.acceptStream().then((stream) => assert.equal(stream, null)),
  ];
  ends.far.pause();
  waiting.push(assert.rejects(ends.client.ping(), SessionClosedError));
  await ends.client.close();
  await within(Promise.all(waiting), "waiters");
  await ends.server.close();
  await assert.rejects(ends.client.ping(), SessionClosedError);
});

Deno.test("GoAway: the other end opens nothing more, its open streams go on", async () => {
  await using ends = pair();
  const stream = await ends.client.openStream();
  const accepted = await ends.server.acceptStream();
  assert.ok(accepted !== null);
  ends.server.goAway();
  await accepted.write(Uint8Array.of(1));
  assert.deepEqual(await stream.read(), Uint8Array.of(1));
  await assert.rejects(ends.client.openStream(), SessionClosedError);
  const back = await ends.server.openStream();
  await back.write(Uint8Array.of(2));
  assert.ok(await within(ends.client.acceptStream(), "the other way is still open") !== null);
});

Deno.test("a protocol error is answered with GoAway(1), then the pipe is closed", async () => {
  const { session, near, far } = alone("server");
  near.inject(frame(FrameType.data, 0, 99, 3));
  const said = await readUntil(far, (type) => type === FrameType.goAway);
  assert.equal(said.length, GoAwayCode.protocolError);
  const end = await within(session.closed, "closed");
  assert.equal(end.cause, "protocol");
  assert.equal(await far.read(), null);
});

Deno.test("the peer's GoAway for an error ends the session as the peer's doing", async () => {
  const { session, near } = alone("client");
  near.inject(frame(FrameType.goAway, 0, 0, GoAwayCode.internalError));
  const end = await within(session.closed, "closed");
  assert.deepEqual([end.cause, end.goAwayCode], ["remote", GoAwayCode.internalError]);
});

Deno.test("a peer that falls silent is pinged, then given up", async () => {
  const { session, far } = alone("client", { keepAliveMs: 20, idleTimeoutMs: 100 });
  const end = await within(session.closed, "closed");
  assert.equal(end.cause, "idle");
  let pings = 0;
  for (;;) {
    const chunk = await far.read();
    if (chunk === null) break;
    pings += parseFrames(chunk).filter((f) => f.type === FrameType.ping).length;
  }
  assert.ok(pings >= 2, `${pings} pings`);
});

Deno.test("two silent ends keep each other alive", async () => {
  await using ends = pair({ limits: { keepAliveMs: 10, idleTimeoutMs: 400 } });
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, 1200);
  const ended = await Promise.race([ends.client.closed, ends.server.closed, promise]);
  clearTimeout(timer);
  assert.equal(ended, undefined);
});

Deno.test("a peer that talks but never reads is given up when a write stays stuck", async () => {
  const { session, near, far } = alone("client", {
    keepAliveMs: 20,
    idleTimeoutMs: 60_000,
    writeTimeoutMs: 100,
  });
  far.pause();
  near.inject(frame(FrameType.windowUpdate, FrameFlag.syn, 2));
  const stream = await session.openStream();
  near.inject(frame(FrameType.windowUpdate, FrameFlag.ack, 1, 100_000_000));
  const stuck = assert.rejects(stream.write(new Uint8Array(4_000_000)), StreamResetError);
  assert.equal((await within(session.closed, "closed")).cause, "idle");
  await stuck;
});

Deno.test("a pipe that fails ends the session with its error", async () => {
  const failing = {
    write: () => Promise.resolve(),
    read: () => Promise.reject(new Error("cable cut")),
    close() {},
  };
  const session = new YamuxSession(failing, { role: "client", now });
  const end = await within(session.closed, "closed");
  assert.equal(end.cause, "pipe");
  assert.match(String(end.error), /cable cut/);
});

Deno.test("what became ready in one turn leaves in one write", async () => {
  const { session, far } = alone("client");
  const streams = await Promise.all(Array.from({ length: 50 }, () => session.openStream()));
  for (let opened = 0; opened < 50;) {
    const chunk = await within(far.read(), "openings");
    assert.ok(chunk !== null);
    opened += parseFrames(chunk).filter((f) => f.flags === FrameFlag.syn && f.streamId > 0).length;
  }
  const writes = streams.map((stream) => stream.write(new Uint8Array(10)));
  const chunk = await within(far.read(), "batch");
  assert.ok(chunk !== null);
  assert.equal(parseFrames(chunk).filter((f) => f.type === FrameType.data).length, 50);
  await Promise.all(writes);
  await session.close();
});

import assert from "node:assert/strict";
import fc from "fast-check";
import { FrameFlag, FrameType, INITIAL_WINDOW } from "./frame.ts";
import { concat, frame, type ParsedFrame, parseFrames } from "./testing.ts";
import { YamuxCore } from "./yamux_core.ts";
import { defaultYamuxLimits, streamResetCodes, type YamuxLimits } from "./yamux_limits.ts";

const { data, windowUpdate, ping, goAway } = FrameType;
const { syn, ack, fin, rst } = FrameFlag;

/** A server's core, so that the peer opens odd streams, with the peer's side done by hand. */
function server(limits: Partial<YamuxLimits> = {}) {
  const core = new YamuxCore("server", { ...defaultYamuxLimits, ...limits }, {
    pending() {},
    incoming() {},
    room() {},
  }, 0);
  return {
    core,
    receive: (...frames: Uint8Array[]) => core.receive(concat(...frames), 0, false),
    sent(): ParsedFrame[] {
      const out = new Uint8Array(10_000_000);
      return parseFrames(out.subarray(0, core.transmit(out)));
    },
  };
}

/** Why the core wants to end, empty while it does not. */
function failure(core: YamuxCore): string {
  return core.failure?.message ?? "";
}

const brief = (frames: ParsedFrame[]) => frames.map((f) => [f.type, f.flags, f.streamId, f.length]);

function fails(what: string, message: RegExp, ...frames: Uint8Array[]): void {
  Deno.test(`${what} ends the session`, () => {
    const { core, receive } = server();
    receive(frame(windowUpdate, syn, 1), frame(windowUpdate, syn, 3));
    core.takeIncoming();
    assert.equal(failure(core), "");
    receive(...frames);
    assert.match(failure(core), message);
    // Nothing that comes later is looked at.
    receive(frame(ping, syn, 0, 1));
  });
}

fails("a stream opened twice", /stream 1 twice/, frame(windowUpdate, syn, 1));
fails("a stream id of our own parity", /stream 2, an id/, frame(windowUpdate, syn, 2));
fails("stream 0", /stream 0, an id/, frame(data, syn, 0));
fails(
  "data beyond the window",
  /262145 bytes to stream 1 where 262144/,
  frame(data, 0, 1, INITIAL_WINDOW + 1),
);
fails(
  "data after the end of the stream",
  /after it had ended/,
  frame(windowUpdate, fin, 1),
  frame(data, 0, 1, 5),
);
fails(
  "a second end of a stream",
  /after it had ended/,
  frame(data, fin, 1, Uint8Array.of(1)),
  frame(windowUpdate, fin, 1),
);
fails("data for a stream that never was", /never opened/, frame(data, 0, 5, 1));
fails("credit for a stream of ours that never was", /never opened/, frame(windowUpdate, 0, 2, 1));
fails(
  "credit beyond 32 bits",
  /exceeds 32 bits/,
  frame(windowUpdate, 0, 1, 0xffff_ffff),
  frame(windowUpdate, 0, 1, 0xffff_ffff),
);
fails("an unknown frame type", /unknown type 9/, frame(9, 0, 0));
fails("GoAway for an error", /GoAway code 1/, frame(goAway, 0, 0, 1));
fails("GoAway for no known reason", /GoAway code 77/, frame(goAway, 0, 0, 77));

Deno.test("a stream beyond the limit is reset and counted, and another one fits once one has ended", () => {
  const { core, receive, sent } = server({ maxIncomingStreams: 2 });
  receive(...[1, 3, 5].map((id) => frame(data, syn, id, Uint8Array.of(id))));
  assert.deepEqual(brief(sent()), [[windowUpdate, rst, 5, streamResetCodes.overLimit]]);
  assert.equal(core.stats.streamsRefused, 1);
  receive(frame(windowUpdate, rst, 1), frame(windowUpdate, syn, 7));
  assert.deepEqual(brief(sent()), []);
  assert.equal(core.takeIncoming()?.id, 3);
  assert.equal(core.takeIncoming()?.id, 7);
  assert.equal(core.takeIncoming(), undefined);
  assert.equal(failure(core), "");
});

Deno.test("100,000 streams opened and reset at once leave nothing behind", () => {
  const { core, receive, sent } = server();
  const opened = Array.from(
    { length: 1000 },
    (_, i) => concat(frame(windowUpdate, syn, 2 * i + 1), frame(windowUpdate, rst, 2 * i + 1)),
  );
  for (let round = 0; round < 100; round++) receive(...opened);
  assert.equal(failure(core), "");
  assert.equal(core.takeIncoming(), undefined);
  assert.deepEqual(brief(sent()), []);
});

Deno.test("20,000 pings in one chunk get 64 answers and cost nothing else", () => {
  const { core, receive, sent } = server();
  receive(...Array.from({ length: 20_000 }, (_, i) => frame(ping, syn, 0, i)));
  assert.equal(failure(core), "");
  assert.equal(core.stats.pingsIgnored, 20_000 - 64);
  assert.deepEqual(brief(sent()), Array.from({ length: 64 }, (_, i) => [ping, ack, 0, i]));
  receive(frame(ping, syn, 0, 7));
  assert.deepEqual(brief(sent()), [[ping, ack, 0, 7]]);
});

Deno.test("a peer that causes resets without reading them is cut off at 4096", () => {
  const { core, receive } = server({ maxIncomingStreams: 0 });
  receive(...Array.from({ length: 4096 }, (_, i) => frame(windowUpdate, syn, 2 * i + 1)));
  assert.equal(failure(core), "");
  receive(frame(windowUpdate, syn, 9001));
  assert.match(failure(core), /more stream resets/);
});

Deno.test("what was under way to a stream that ended here is ignored, what exceeds its window is not", () => {
  const { core, receive } = server();
  receive(frame(data, syn, 1, new Uint8Array(1000)));
  const stream = core.takeIncoming();
  assert.ok(stream !== undefined);
  core.reset(stream, 0);
  const late = new Uint8Array(INITIAL_WINDOW - 1000);
  receive(frame(windowUpdate, 0, 1, 5), frame(data, 0, 1, late));
  assert.equal(failure(core), "");
  assert.equal(core.stats.strayFrames, 2);
  receive(frame(data, 0, 1, Uint8Array.of(1)));
  assert.match(failure(core), /goes on sending/);
});

Deno.test("a stream reset in the middle of a frame swallows the rest of that frame", () => {
  const { core, receive } = server();
  const bytes = frame(data, syn, 1, new Uint8Array(5000));
  receive(bytes.subarray(0, 2000));
  const stream = core.takeIncoming();
  assert.ok(stream !== undefined);
  core.reset(stream, 3);
  receive(bytes.subarray(2000), frame(ping, syn, 0, 1));
  assert.equal(failure(core), "");
});

Deno.test("more unread bytes than a session may hold reset the stream that brings them", () => {
  const { core, receive, sent } = server({ maxSessionBuffer: 600_000 });
  const full = new Uint8Array(INITIAL_WINDOW);
  receive(...[1, 3, 5].map((id) => frame(data, syn, id, full)));
  assert.deepEqual(brief(sent()), [[windowUpdate, rst, 5, streamResetCodes.overLimit]]);
  assert.equal(failure(core), "");
  const first = core.takeIncoming();
  assert.ok(first !== undefined && core.take(first, 0) !== undefined);
  receive(frame(data, syn, 7, full));
  assert.deepEqual(brief(sent()).map(([type, flags]) => [type, flags]), [[windowUpdate, ack]]);
});

Deno.test("a reset carries its code, and hashicorp's length of 0 is code 0", () => {
  const { core, receive, sent } = server();
  receive(frame(windowUpdate, syn, 1), frame(windowUpdate, syn, 3), frame(windowUpdate, syn, 5));
  const [first, second, third] = [core.takeIncoming(), core.takeIncoming(), core.takeIncoming()];
  assert.ok(first && second && third);
  core.reset(third, 42);
  assert.ok(brief(sent()).some(([, flags, id, code]) => flags === rst && id === 5 && code === 42));
  receive(frame(windowUpdate, rst, 1, 42), frame(windowUpdate, rst, 3));
  assert.equal(first.error?.resetCode, 42);
  assert.equal(second.error?.resetCode, 0);
});

Deno.test("after our GoAway new streams are reset, old ones live", () => {
  const { core, receive, sent } = server();
  receive(frame(windowUpdate, syn, 1));
  core.goAway(0);
  core.goAway(0);
  assert.deepEqual(brief(sent()), [[goAway, 0, 0, 0]]);
  receive(frame(windowUpdate, syn, 3), frame(data, 0, 1, Uint8Array.of(1)));
  assert.deepEqual(brief(sent()), [[windowUpdate, rst, 3, streamResetCodes.overLimit]]);
  const stream = core.takeIncoming();
  assert.equal(stream?.queue.size, 1);
  assert.equal(failure(core), "");
});

Deno.test("a stream reset before its opening has left is never heard of", () => {
  const { core, sent } = server();
  core.reset(core.open(0), 1);
  assert.deepEqual(brief(sent()), []);
});

Deno.test("bulk on one stream leaves room in every batch for a small one, and control goes first", () => {
  const { core } = server();
  const [bulk, small] = [core.open(0), core.open(0)];
  bulk.out = new Uint8Array(200_000);
  core.touch(bulk);
  small.out = new Uint8Array(10);
  core.touch(small);
  core.goAway(0);
  const out = new Uint8Array(70_000);
  const batch = parseFrames(out.subarray(0, core.transmit(out)));
  assert.equal(batch[0]?.type, goAway);
  assert.ok(batch.some((f) => f.streamId === small.id && f.type === data && f.length === 10));
  assert.equal(small.out, null);
});

Deno.test("messages that are not whole frames are refused where messages are asked for", () => {
  const { core } = server();
  core.receive(frame(ping, syn, 0, 1), 0, true);
  assert.equal(failure(core), "");
  core.receive(frame(ping, syn, 0, 1).subarray(0, 11), 0, true);
  assert.match(failure(core), /whole frame/);
});

Deno.test("any sequence of frames is handled: bounded answers, no throw", () => {
  const anyFrame = fc.record({
    type: fc.nat(3),
    flags: fc.nat(15),
    id: fc.nat(8),
    payload: fc.uint8Array({ maxLength: 30 }),
    credit: fc.nat(100_000),
  });
  const frames = fc.array(anyFrame, { maxLength: 60 });
  fc.assert(
    fc.property(frames, fc.boolean(), (list, reset) => {
      const { core, receive, sent } = server({ maxIncomingStreams: 3 });
      const own = core.open(0);
      own.out = new Uint8Array(500_000);
      core.touch(own);
      for (const { type, flags, id, payload, credit } of list) {
        receive(frame(type, flags, id, type === data ? payload : type === goAway ? 0 : credit));
        const stream = core.takeIncoming();
        if (stream !== undefined && reset) core.reset(stream, 1);
        else if (stream !== undefined) { while (core.take(stream, 0) !== undefined); }
      }
      assert.ok(sent().length <= 4 * list.length + 20);
      core.end("over");
    }),
    { numRuns: 500 },
  );
});

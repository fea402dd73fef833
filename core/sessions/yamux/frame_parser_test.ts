import assert from "node:assert/strict";
import fc from "fast-check";
import { ProtocolError } from "../errors.ts";
import { FrameType } from "./frame.ts";
import { FrameParser } from "./frame_parser.ts";
import { concat, frame, type ParsedFrame, parseFrames } from "./testing.ts";

/** Parses `bytes` cut at the given places and returns the frames with their payloads put together. */
function parseCut(bytes: Uint8Array, cuts: number[]): ParsedFrame[] {
  const frames: ParsedFrame[] = [];
  const lasts: boolean[] = [];
  const parser = new FrameParser({
    onFrame: (type, flags, streamId, length) =>
      void frames.push({ type, flags, streamId, length, payload: new Uint8Array(0) }),
    onData: (streamId, piece, last) => {
      const current = frames.at(-1);
      assert.ok(current !== undefined && current.streamId === streamId && piece.length > 0);
      current.payload = concat(current.payload, piece);
      lasts.push(last);
      assert.equal(last, current.payload.length === current.length);
    },
  });
  let from = 0;
  for (const cut of [...cuts, bytes.length]) {
    parser.push(bytes.subarray(from, cut));
    from = cut;
  }
  assert.equal(parser.atBoundary, true);
  return frames;
}

const sample = concat(
  frame(FrameType.data, 1, 1, new TextEncoder().encode("hello")),
  frame(FrameType.windowUpdate, 2, 1, 70_000),
  frame(FrameType.ping, 1, 0, 0xffff_ffff),
  frame(FrameType.data, 4, 0xffff_ffff, new Uint8Array(0)),
  frame(FrameType.goAway, 0, 0, 2),
);

Deno.test("frames split at any byte, or into single bytes, are the same frames", () => {
  const whole = parseFrames(sample);
  assert.deepEqual(whole.map((f) => [f.type, f.flags, f.streamId, f.length]), [
    [0, 1, 1, 5],
    [1, 2, 1, 70_000],
    [2, 1, 0, 0xffff_ffff],
    [0, 4, 0xffff_ffff, 0],
    [3, 0, 0, 2],
  ]);
  for (let cut = 0; cut <= sample.length; cut++) assert.deepEqual(parseCut(sample, [cut]), whole);
  assert.deepEqual(parseCut(sample, Array.from(sample, (_, i) => i)), whole);
});

Deno.test("payload is passed on as views of what was pushed, not copied", () => {
  const chunk = frame(FrameType.data, 0, 1, new Uint8Array(1000));
  const pieces: Uint8Array[] = [];
  new FrameParser({ onFrame() {}, onData: (_, piece) => void pieces.push(piece) }).push(chunk);
  assert.equal(pieces.length, 1);
  assert.equal(pieces[0]?.buffer, chunk.buffer);
});

Deno.test("a frame that announces 4 GB costs nothing before its bytes come", () => {
  let seen = 0;
  const parser = new FrameParser({
    onFrame() {},
    onData: (_, piece, last) => {
      seen += piece.length;
      assert.equal(last, false);
    },
  });
  parser.push(frame(FrameType.data, 0, 1, 0xffff_ffff));
  parser.push(new Uint8Array(100));
  assert.equal(seen, 100);
  assert.equal(parser.atBoundary, false);
});

Deno.test("an unknown version or type is a ProtocolError", () => {
  const parser = () => new FrameParser({ onFrame() {}, onData() {} });
  const version = frame(FrameType.ping, 0, 0);
  version[0] = 1;
  assert.throws(() => parser().push(version), ProtocolError);
  assert.throws(() => parser().push(frame(4, 0, 0)), ProtocolError);
  assert.throws(() => parser().push(frame(255, 0, 0)), ProtocolError);
});

Deno.test("random frames survive random cuts", () => {
  const frames = fc.array(
    fc.record({
      type: fc.constantFrom(0, 1, 2, 3),
      flags: fc.nat(0xffff),
      streamId: fc.nat(0xffff_ffff),
      payload: fc.uint8Array({ maxLength: 40 }),
    }),
    { maxLength: 12 },
  );
  fc.assert(fc.property(frames, fc.array(fc.nat(1000)), (list, places) => {
    const bytes = concat(
      ...list.map((f) =>
        frame(f.type, f.flags, f.streamId, f.type === 0 ? f.payload : f.payload.length)
      ),
    );
    const cuts = places.map((place) => Math.min(place, bytes.length)).sort((a, b) => a - b);
    assert.deepEqual(parseCut(bytes, cuts), parseFrames(bytes));
  }));
});

Deno.test("random bytes give frames or a ProtocolError, nothing else", () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
    const parser = new FrameParser({ onFrame() {}, onData() {} });
    try {
      parser.push(bytes);
    } catch (error) {
      assert.ok(error instanceof ProtocolError);
    }
  }));
});

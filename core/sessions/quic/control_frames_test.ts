import assert from "node:assert/strict";
import fc from "fast-check";
import { ProtocolError } from "../errors.ts";
import { type ControlFrame, ControlFrameParser, encodeControlFrames } from "./control_frames.ts";

const frame: fc.Arbitrary<ControlFrame> = fc.record({
  kind: fc.constantFrom<ControlFrame["kind"][]>("reset", "released", "limit"),
  streamId: fc.nat({ max: 2 ** 46 - 1 }).map((index) => index * 4).chain((id) =>
    fc.constantFrom(id, id + 1)
  ),
  code: fc.nat({ max: 0xffff_ffff }),
}, { noNullPrototype: true });

Deno.test("control frames survive any cut of the byte stream", () => {
  fc.assert(
    fc.property(
      fc.array(frame, { maxLength: 20 }),
      fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 1 }),
      (frames, cuts) => {
        const bytes = encodeControlFrames(frames);
        const parser = new ControlFrameParser();
        const got: ControlFrame[] = [];
        for (let at = 0, turn = 0; at < bytes.length; turn++) {
          const length = cuts[turn % cuts.length] as number;
          got.push(...parser.push(bytes.subarray(at, at + length)));
          at += length;
        }
        assert.deepEqual(got, frames);
      },
    ),
  );
});

Deno.test("an unknown frame, or one for a unidirectional stream, is a protocol error", () => {
  const parse = (bytes: number[]) => [...new ControlFrameParser().push(Uint8Array.from(bytes))];
  assert.throws(() => parse([4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]), ProtocolError);
  assert.throws(() => parse([1, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0]), ProtocolError);
});

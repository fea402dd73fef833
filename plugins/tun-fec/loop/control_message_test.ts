import assert from "node:assert/strict";
import fc from "fast-check";
import { controlKind, type ControlMessage, readControl, writeControl } from "./control_message.ts";

const way = fc.nat(31);
const messages: fc.Arbitrary<ControlMessage> = fc.oneof(
  fc.record({
    kind: fc.constantFrom(controlKind.probe, controlKind.answer),
    way,
    bytes: fc.nat(0xffff),
    number: fc.nat(0xffff_ffff),
  }),
  fc.record({
    kind: fc.constant(controlKind.loss),
    way,
    burst: fc.integer({ min: 256, max: 0xffff }).map((n) => n / 256),
    segments: fc.nat(0xffff_ffff),
    share: fc.nat(100),
  }).map(({ share, ...rest }) => ({ ...rest, lost: Math.floor(rest.segments * share / 100) })),
);

Deno.test("what was written is read back, with padding behind it or without", () => {
  fc.assert(fc.property(messages, fc.nat(40), (message, padding) => {
    const view = new DataView(new ArrayBuffer(80));
    const length = writeControl(view, 3, message);
    assert.deepEqual(readControl(view, 3, length + padding), { ...message });
    assert.equal(readControl(view, 3, length - 1), undefined);
  }));
});

Deno.test("other kinds, ways there cannot be and more lost than sent are not believed", () => {
  const view = new DataView(new ArrayBuffer(16));
  writeControl(view, 0, { kind: controlKind.loss, way: 0, burst: 1, segments: 5, lost: 6 });
  assert.equal(readControl(view, 0, 16), undefined);
  writeControl(view, 0, { kind: controlKind.probe, way: 32, bytes: 9, number: 1 });
  assert.equal(readControl(view, 0, 16), undefined);
  writeControl(view, 0, { kind: controlKind.probe, way: 1, bytes: 9, number: 1 });
  view.setUint8(0, 4);
  assert.equal(readControl(view, 0, 16), undefined);
});

import assert from "node:assert/strict";
import fc from "fast-check";
import {
  counterOf,
  fragmentOf,
  fragmentWord,
  kindOf,
  parseFragment,
  receiverOf,
  segmentHead,
  segmentKind,
  segmentOverhead,
  writeHead,
} from "./segment.ts";

Deno.test("a head is these twenty bytes", () => {
  const bytes = new Uint8Array(segmentHead);
  const word = fragmentWord({
    index: 44,
    last: true,
    trailer: 62,
    way: 3,
    direct: true,
    control: false,
  });
  writeHead(new DataView(bytes.buffer), 0, segmentKind.data, 0x01020304, word, 2 ** 40 + 5);
  assert.equal(bytes.toHex(), "706c7301" + "01020304" + "c33e002c" + "0000010000000005");
});

Deno.test("what was written is read back", () => {
  fc.assert(fc.property(
    fc.constantFrom(segmentKind.data, segmentKind.parity),
    fc.nat({ max: 0xffff_ffff }),
    fc.record({
      index: fc.nat(0xffff),
      last: fc.boolean(),
      trailer: fc.nat(0xff),
      way: fc.nat(31),
      direct: fc.boolean(),
      control: fc.boolean(),
    }),
    fc.maxSafeNat(),
    fc.nat(16),
    (kind, receiver, fragment, counter, at) => {
      const view = new DataView(new ArrayBuffer(at + segmentHead));
      writeHead(view, at, kind, receiver, fragmentWord(fragment), counter);
      assert.equal(kindOf(view, at, segmentOverhead), kind);
      assert.equal(receiverOf(view, at), receiver);
      assert.deepEqual(parseFragment(fragmentOf(view, at)), { ...fragment });
      assert.equal(counterOf(view, at), counter);
    },
  ));
});

Deno.test("short packets, other magics and unknown kinds are none of ours", () => {
  const view = new DataView(new ArrayBuffer(64));
  writeHead(view, 0, segmentKind.data, 1, 0, 0);
  assert.equal(kindOf(view, 0, segmentOverhead - 1), 0);
  for (const [at, byte] of [[0, 0x40], [1, 0], [2, 0], [3, 0], [3, 3], [3, 255]] as const) {
    const other = new DataView(view.buffer.slice(0));
    other.setUint8(at, byte);
    assert.equal(kindOf(other, 0, 64), 0, `byte ${at} = ${byte}`);
  }
});

Deno.test("a counter no sender may use reads as no number", () => {
  const view = new DataView(new ArrayBuffer(segmentHead));
  view.setUint32(12, 0x20_0000);
  assert.ok(Number.isNaN(counterOf(view, 0)));
});

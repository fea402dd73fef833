import assert from "node:assert/strict";
import fc from "fast-check";
import { labTest, runOk } from "../../../tests/lab/mod.ts";
import { blocks, fecBuffer, plainBuffer, simdBuffer } from "./fec_buffer.ts";
import { multiply } from "./gf256.ts";
import { kernelBytes } from "./gf256_kernel.ts";

const size = 256;

for (const [name, make] of [["plain", plainBuffer], ["SIMD", simdBuffer]] as const) {
  Deno.test(`${name}: a row is added with any factor, and nothing beside it is touched`, () => {
    fc.assert(fc.property(
      fc.uint8Array({ minLength: size, maxLength: size }),
      fc.integer({ min: 0, max: 255 }),
      fc.nat(3),
      fc.integer({ min: 1, max: 4 }),
      (before, factor, place, length) => {
        const buffer = make(size);
        buffer.bytes.set(before);
        const [to, from] = [16 + place * 16, 144];
        buffer.addScaled(to, from, length * 16, factor);
        for (let i = 0; i < size; i++) {
          const inside = i >= to && i < to + length * 16;
          const expected = inside
            ? before[i]! ^ multiply(factor, before[i - to + from]!)
            : before[i];
          assert.equal(buffer.bytes[i], expected);
        }
      },
    ));
  });
}

Deno.test("SIMD multiplies every element with every factor as the field does", () => {
  const buffer = simdBuffer(512);
  for (let factor = 0; factor < 256; factor++) {
    buffer.bytes.fill(0, 0, 256);
    for (let i = 0; i < 256; i++) buffer.bytes[256 + i] = i;
    buffer.addScaled(0, 256, 256, factor);
    for (let i = 0; i < 256; i++) assert.equal(buffer.bytes[i], multiply(factor, i));
  }
});

Deno.test("buffers are as large as asked for, zeros, and many", () => {
  const many = Array.from({ length: 500 }, () => fecBuffer(blocks(70_001)));
  for (const { bytes } of many) assert.equal(bytes.length, 70_016);
  many[0]!.bytes.fill(1);
  assert.ok(many[1]!.bytes.every((byte) => byte === 0));
});

labTest("the kernel is what its source says", { commands: ["wat2wasm"] }, async () => {
  const source = new URL("gf256_kernel.wat", import.meta.url).pathname;
  const folder = await Deno.makeTempDir();
  try {
    await runOk(["wat2wasm", source, `--output=${folder}/kernel`]);
    assert.equal(kernelBytes.toHex(), (await Deno.readFile(`${folder}/kernel`)).toHex());
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

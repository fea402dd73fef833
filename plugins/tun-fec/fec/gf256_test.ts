import assert from "node:assert/strict";
import fc from "fast-check";
import { addScaled, fecBuffer, inverse, multiply } from "./gf256.ts";

const element = fc.integer({ min: 0, max: 255 });

/** Polynomial multiplication modulo 0x11d, bit by bit. */
function slowly(a: number, b: number): number {
  let product = 0;
  for (; b > 0; b >>= 1, a = (a << 1) ^ (a & 0x80 ? 0x11d : 0)) if (b & 1) product ^= a;
  return product;
}

Deno.test("products are those of polynomials modulo 0x11d", () => {
  for (let a = 0; a < 256; a++) {
    for (let b = 0; b < 256; b++) assert.equal(multiply(a, b), slowly(a, b));
  }
});

Deno.test("an element times its inverse is one", () => {
  for (let a = 1; a < 256; a++) assert.equal(multiply(a, inverse(a)), 1);
});

Deno.test("a row is added with any factor, and nothing beyond its length is touched", () => {
  fc.assert(fc.property(
    fc.uint8Array({ minLength: 64, maxLength: 64 }),
    fc.uint8Array({ minLength: 64, maxLength: 64 }),
    element,
    fc.nat(3),
    (a, b, factor, words) => {
      const [to, from] = [fecBuffer(64), fecBuffer(64)];
      to.bytes.set(a);
      from.bytes.set(b);
      const at = 8 + words * 4;
      addScaled(to, at, from, 4, 32, factor);
      for (let i = 0; i < 64; i++) {
        const inside = i >= at && i < at + 32;
        const expected = inside ? a[i]! ^ multiply(factor, b[i - at + 4]!) : a[i];
        assert.equal(to.bytes[i], expected);
      }
    },
  ));
});

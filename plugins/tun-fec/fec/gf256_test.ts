import assert from "node:assert/strict";
import { inverse, multiply } from "./gf256.ts";

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

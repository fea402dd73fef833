import assert from "node:assert/strict";
import { coefficient, maxGroup, maxRows, repairMatrix } from "./code.ts";
import { multiply } from "./gf256.ts";

Deno.test("the first parity row is plain XOR", () => {
  for (let i = 0; i < maxGroup; i++) assert.equal(coefficient(0, i), 1);
});

function* choose(from: number, count: number, start = 0): Generator<number[]> {
  if (count === 0) return yield [];
  for (let n = start; n <= from - count; n++) {
    for (const rest of choose(from, count - 1, n + 1)) yield [n, ...rest];
  }
}

Deno.test("any one or two rows repair any one or two losses", () => {
  for (const count of [1, 2]) {
    for (const rows of choose(maxRows, count)) {
      for (const lost of choose(maxGroup, count)) {
        const matrix = repairMatrix(rows, lost);
        assert.ok(matrix, `rows ${rows}, lost ${lost}`);
        for (let a = 0; a < count; a++) {
          for (let b = 0; b < count; b++) {
            let sum = 0;
            for (let k = 0; k < count; k++) {
              sum ^= multiply(matrix[a * count + k]!, coefficient(rows[k]!, lost[b]!));
            }
            assert.equal(sum, a === b ? 1 : 0);
          }
        }
      }
    }
  }
});

Deno.test("all rows together repair as many losses", () => {
  const all = Array.from({ length: maxRows }, (_, n) => n);
  for (const lost of [all, all.map((n) => n + maxGroup - maxRows), all.map((n) => n * 3)]) {
    assert.ok(repairMatrix(all, lost));
  }
});

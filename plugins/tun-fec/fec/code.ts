import { inverse, multiply } from "./gf256.ts";

/** Most parity rows a group has, and most segments: what the cap on their traffic allows, in groups that fill soon enough. */
export const maxRows = 10;
export const maxGroup = 32;
/** Segments that are worth waiting for at any pace. */
export const smallestGroup = 5;
/** Most groups that are interleaved, and most segments in all of them. */
export const maxDepth = 16;
export const maxSpan = 320;

/**
 * Coefficients of a systematic code: parity row `r` is the sum of `coefficient(r, i) * segment i`. A Cauchy matrix
 * `1 / (x_r + y_i)` with `x_r = 128 + r`, `y_i = i`, each column divided by its first element: row 0 is plain XOR, and any
 * `n` rows still repair any `n` losses, because scaling columns leaves every square part invertible.
 */
const coefficients = new Uint8Array(maxRows * maxGroup);
for (let i = 0; i < maxGroup; i++) {
  const first = inverse(128 ^ i);
  for (let row = 0; row < maxRows; row++) {
    coefficients[row * maxGroup + i] = multiply(inverse((128 + row) ^ i), inverse(first));
  }
}

export function coefficient(row: number, index: number): number {
  return coefficients[row * maxGroup + index]!;
}

/**
 * Inverts the square part of the code that belongs to what was lost.
 * @param rows parity rows that arrived, as many as there are losses
 * @param lost places of the lost segments in their group
 * @returns by loss then row: what to multiply each row with; undefined never happens for rows and places that are distinct
 */
export function repairMatrix(
  rows: readonly number[],
  lost: readonly number[],
): Uint8Array | undefined {
  const n = lost.length;
  const left = new Uint8Array(n * n);
  const right = new Uint8Array(n * n);
  for (let r = 0; r < n; r++) {
    for (let c = 0; c < n; c++) left[r * n + c] = coefficient(rows[r]!, lost[c]!);
    right[r * n + r] = 1;
  }
  for (let c = 0; c < n; c++) {
    let pivot = c;
    while (pivot < n && left[pivot * n + c] === 0) pivot++;
    if (pivot === n) return undefined;
    swapRows(left, n, pivot, c);
    swapRows(right, n, pivot, c);
    const scale = inverse(left[c * n + c]!);
    for (let k = 0; k < n; k++) {
      left[c * n + k] = multiply(left[c * n + k]!, scale);
      right[c * n + k] = multiply(right[c * n + k]!, scale);
    }
    for (let r = 0; r < n; r++) {
      const factor = left[r * n + c]!;
      if (r === c || factor === 0) continue;
      for (let k = 0; k < n; k++) {
        left[r * n + k]! ^= multiply(factor, left[c * n + k]!);
        right[r * n + k]! ^= multiply(factor, right[c * n + k]!);
      }
    }
  }
  return right;
}

function swapRows(matrix: Uint8Array, n: number, a: number, b: number): void {
  if (a === b) return;
  for (let k = 0; k < n; k++) {
    const kept = matrix[a * n + k]!;
    matrix[a * n + k] = matrix[b * n + k]!;
    matrix[b * n + k] = kept;
  }
}

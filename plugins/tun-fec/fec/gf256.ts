/** Arithmetic in GF(2^8) with the polynomial x^8 + x^4 + x^3 + x^2 + 1 (0x11d), as Reed-Solomon codes commonly use it. */
const exp = new Uint8Array(510);
const log = new Uint8Array(256);
for (let power = 0, value = 1; power < 255; power++) {
  exp[power] = exp[power + 255] = value;
  log[value] = power;
  value <<= 1;
  if (value > 255) value ^= 0x11d;
}

/** `products[a * 256 + b]` = a * b. */
export const products = new Uint8Array(65_536);
for (let a = 1; a < 256; a++) {
  for (let b = 1; b < 256; b++) products[a * 256 + b] = exp[log[a]! + log[b]!]!;
}

export function multiply(a: number, b: number): number {
  return products[a * 256 + b]!;
}

/** 1 / a. @param a not 0 */
export function inverse(a: number): number {
  return exp[255 - log[a]!]!;
}

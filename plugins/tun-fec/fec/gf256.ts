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
const products = new Uint8Array(65_536);
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

/**
 * `to[i] ^= factor * from[i]` for `length` bytes. Both are whole buffers with offsets that are multiples of four, and `length` is
 * one too: a factor of 1, which is all that XOR parity needs, then goes word by word.
 */
export function addScaled(
  to: FecBuffer,
  toAt: number,
  from: FecBuffer,
  fromAt: number,
  length: number,
  factor: number,
): void {
  if (factor === 1) {
    const end = (fromAt + length) >>> 2;
    for (let i = fromAt >>> 2, o = toAt >>> 2; i < end; i++, o++) to.words[o]! ^= from.words[i]!;
    return;
  }
  const row = factor * 256;
  for (let i = 0; i < length; i++) {
    to.bytes[toAt + i]! ^= products[row + from.bytes[fromAt + i]!]!;
  }
}

/** Memory seen as bytes and as words. */
export interface FecBuffer {
  readonly bytes: Uint8Array;
  readonly words: Uint32Array;
}

/** @param size a multiple of four */
export function fecBuffer(size: number): FecBuffer {
  const bytes = new Uint8Array(size);
  return { bytes, words: new Uint32Array(bytes.buffer) };
}

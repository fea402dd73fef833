import { multiply, products } from "./gf256.ts";
import { kernelBytes } from "./gf256_kernel.ts";

/** Everything in a buffer begins and ends at multiples of so many bytes: what one SIMD instruction takes. */
const block = 16;

/** Rounded up to whole blocks. */
export function blocks(length: number): number {
  return (length + block - 1) & -block;
}

/** Memory with the one operation that parity is made of. */
export interface FecBuffer {
  readonly bytes: Uint8Array;
  /** `bytes[to + i] ^= factor * bytes[from + i]`: for whole blocks that do not overlap, at least one. */
  addScaled(to: number, from: number, length: number, factor: number): void;
}

/** Makes one. @param size whole blocks */
export type MakeFecBuffer = (size: number) => FecBuffer;

/** In JavaScript alone: a factor of 1, which is all that plain XOR needs, word by word, others by a table. */
export function plainBuffer(size: number): FecBuffer {
  const bytes = new Uint8Array(size);
  const words = new Uint32Array(bytes.buffer);
  return {
    bytes,
    addScaled(to, from, length, factor) {
      if (factor === 1) {
        const end = (from + length) >>> 2;
        for (let i = from >>> 2, o = to >>> 2; i < end; i++, o++) words[o]! ^= words[i]!;
        return;
      }
      const row = factor * 256;
      for (let i = 0; i < length; i++) bytes[to + i]! ^= products[row + bytes[from + i]!]!;
    },
  };
}

/** What the kernel exports. */
interface Kernel extends WebAssembly.Exports {
  add(to: number, from: number, end: number): void;
  addScaled(to: number, from: number, end: number, products: number): void;
}

const page = 65_536;
/** Of each factor: its products with 0x00 to 0x0f and with 0x00, 0x10, ... 0xf0. */
const tableOf = 2 * block;
const tables = new Uint8Array(256 * tableOf);
for (let factor = 0; factor < 256; factor++) {
  for (let i = 0; i < block; i++) {
    tables[factor * tableOf + i] = multiply(factor, i);
    tables[factor * tableOf + block + i] = multiply(factor, i << 4);
  }
}

let module: WebAssembly.Module | undefined;

/** Sixteen bytes at once: a product is looked up by its two halves, as both are in registers. */
export function simdBuffer(size: number): FecBuffer {
  module ??= new WebAssembly.Module(kernelBytes);
  const pages = Math.ceil((size + tables.length) / page);
  // Bounded, so that the engine need not keep address space for growth.
  const memory = new WebAssembly.Memory({ initial: pages, maximum: pages });
  const { exports } = new WebAssembly.Instance(module, { fec: { memory } });
  const { add, addScaled } = exports as Kernel;
  const base = tables.length;
  new Uint8Array(memory.buffer).set(tables);
  return {
    bytes: new Uint8Array(memory.buffer, base, size),
    addScaled(to, from, length, factor) {
      const begin = base + from;
      if (factor === 1) add(base + to, begin, begin + length);
      else addScaled(base + to, begin, begin + length, factor * tableOf);
    },
  };
}

/** The faster one of what this processor can do. */
export const fecBuffer: MakeFecBuffer = WebAssembly.validate(kernelBytes)
  ? simdBuffer
  : plainBuffer;

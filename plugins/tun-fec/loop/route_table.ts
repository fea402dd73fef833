import { isMapped } from "../packet/ip_packet.ts";
import type { Prefix } from "../filter/types.ts";

interface Length {
  readonly mask: readonly [number, number, number, number];
  readonly bits: number;
}

/** Words of a key: four of the address and the length of the prefix. */
const keyWords = 5;

/**
 * Which of many values the longest prefix of an address belongs to; IPv4 in its mapped form. One hash table over all lengths,
 * asked once for each length there is, the longest first. Made once and never changed.
 */
export class RouteTable<T> {
  readonly #lengths: readonly Length[];
  readonly #keys: Uint32Array;
  readonly #slots: Int32Array;
  readonly #values: T[] = [];
  readonly #mask: number;

  /** Of two equal prefixes the first counts. */
  constructor(routes: readonly { readonly prefix: Prefix; readonly value: T }[]) {
    let size = 8;
    while (size < routes.length * 2) size *= 2;
    this.#mask = size - 1;
    this.#keys = new Uint32Array(size * keyWords);
    this.#slots = new Int32Array(size).fill(-1);
    const lengths = new Map<number, Length>();
    for (const { prefix: { network, mask }, value } of routes) {
      const bits = prefixBits(mask);
      lengths.set(bits, { mask, bits });
      const slot = this.#find(network[0], network[1], network[2], network[3], bits);
      if (this.#slots[slot] !== -1) continue;
      this.#keys.set([...network, bits], slot * keyWords);
      this.#slots[slot] = this.#values.push(value) - 1;
    }
    this.#lengths = [...lengths.values()].sort((a, b) => b.bits - a.bits);
  }

  lookup(address: Uint32Array): T | undefined {
    // What holds for IPv6 at large, such as its default route, does not for IPv4.
    const least = isMapped(address) ? 96 : 0;
    for (let i = 0; i < this.#lengths.length; i++) {
      const { mask, bits } = this.#lengths[i]!;
      if (bits < least) break;
      const slot = this.#find(
        (address[0]! & mask[0]) >>> 0,
        (address[1]! & mask[1]) >>> 0,
        (address[2]! & mask[2]) >>> 0,
        (address[3]! & mask[3]) >>> 0,
        bits,
      );
      const value = this.#slots[slot]!;
      if (value >= 0) return this.#values[value];
    }
    return undefined;
  }

  /** The slot of a key, or the free one where it would be. */
  #find(a: number, b: number, c: number, d: number, bits: number): number {
    let hash = Math.imul(a, 0x9e37_79b1) ^ Math.imul(b, 0x85eb_ca6b);
    hash = Math.imul(hash ^ hash >>> 15 ^ c, 0xc2b2_ae35);
    hash = Math.imul(hash ^ hash >>> 13 ^ d, 0x9e37_79b1) + bits;
    for (let slot = (hash ^ hash >>> 16) & this.#mask;; slot = slot + 1 & this.#mask) {
      if (this.#slots[slot] === -1) return slot;
      const at = slot * keyWords;
      const keys = this.#keys;
      if (
        keys[at] === a && keys[at + 1] === b && keys[at + 2] === c && keys[at + 3] === d &&
        keys[at + 4] === bits
      ) return slot;
    }
  }
}

function prefixBits(mask: Prefix["mask"]): number {
  return mask.reduce((bits, word) => bits + (word === 0 ? 0 : 32 - ctz(word)), 0);
}

/** Zero bits at the end. @param word not 0 */
function ctz(word: number): number {
  return 31 - Math.clz32(word & -word);
}

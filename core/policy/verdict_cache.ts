/** Verdicts held. A newer one takes the place of whatever fell into the same slot. */
const slots = 32_768;

/** Rules that decided flows, in two arrays of a fixed size (384 KiB): a lookup allocates nothing. */
export class VerdictCache {
  readonly #keys = new Float64Array(slots).fill(-1);
  readonly #rules = new Int32Array(slots);
  #key = -1;
  #slot = 0;

  /**
   * What was put for this flow; undefined when it is not known (any more).
   * @param from, to below 4,096
   * @param address below 2,048
   * @param service below 2^18
   */
  get(from: number, to: number, address: number, service: number): number | undefined {
    // 12 + 12 + 11 + 18 = 53 bits: exact in a double.
    this.#key = ((from * 4_096 + to) * 2_048 + address) * 262_144 + service;
    let hash = Math.imul(from, 0x9e3779b1) ^ Math.imul(to, 0x85ebca77) ^
      Math.imul(address, 0xc2b2ae3d) ^ Math.imul(service, 0x27d4eb2f);
    hash ^= hash >>> 15;
    this.#slot = hash & (slots - 1);
    return this.#keys[this.#slot] === this.#key ? this.#rules[this.#slot] : undefined;
  }

  /** For the flow that `get` was asked for last. */
  put(rule: number): void {
    this.#keys[this.#slot] = this.#key;
    this.#rules[this.#slot] = rule;
  }

  clear(): void {
    this.#keys.fill(-1);
  }
}

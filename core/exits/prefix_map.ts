import { type Cidr, cidrKey, maskBytes } from "../address/mod.ts";

/** Values by range of addresses, of both families; the longest prefix that holds an address decides. */
export class PrefixMap<T> {
  readonly #values = new Map<string, T>();
  /** Lengths there are, by bytes of the address, the longest first. */
  readonly #lengths = new Map<number, number[]>();

  /** The value takes the place of one for the same range. */
  set(cidr: Cidr, value: T): void {
    this.#values.set(cidrKey(cidr), value);
    const lengths = this.#lengths.get(cidr.bytes.length) ?? [];
    if (lengths.includes(cidr.prefix)) return;
    lengths.push(cidr.prefix);
    lengths.sort((a, b) => b - a);
    this.#lengths.set(cidr.bytes.length, lengths);
  }

  /** Undefined where no range holds the address. */
  find(address: Uint8Array): T | undefined {
    for (const prefix of this.#lengths.get(address.length) ?? []) {
      const value = this.#values.get(cidrKey({ bytes: maskBytes(address, prefix), prefix }));
      if (value !== undefined) return value;
    }
    return undefined;
  }
}

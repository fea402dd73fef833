import { isIP } from "node:net";
import { parseIpv4, parseIpv6 } from "../../core/identity/ip_text.ts";
import { PulseError } from "../../core/errors/mod.ts";

interface Range {
  readonly bytes: Uint8Array;
  readonly bits: number;
}

/** Who is served: addresses and ranges. */
export class ClientList {
  readonly #ranges: readonly Range[];
  /** Verdicts for addresses seen lately. */
  readonly #seen = new Map<string, boolean>();

  /** @throws {PulseError} DNS_CONFIG */
  constructor(cidrs: readonly string[]) {
    this.#ranges = cidrs.map(parseRange);
  }

  has(address: string): boolean {
    const known = this.#seen.get(address);
    if (known !== undefined) return known;
    const bytes = bytesOf(address);
    const verdict = bytes !== null && this.#ranges.some((range) => covers(range, bytes));
    if (this.#seen.size >= 1_024) this.#seen.clear();
    this.#seen.set(address, verdict);
    return verdict;
  }
}

function parseRange(text: string): Range {
  const [, address = "", length] = /^\[?([^/\]]+)\]?(?:\/(\d{1,3}))?$/.exec(text) ?? [];
  const bytes = isIP(address) === 0 ? null : bytesOf(address);
  const bits = Number(length ?? (bytes?.length ?? 0) * 8);
  if (bytes === null || bits > bytes.length * 8) {
    throw new PulseError(
      "DNS_CONFIG",
      `The configuration of DNS is wrong: "${
        text.slice(0, 64)
      }" is not a range of clients; write an address or a CIDR such as 192.168.1.0/24`,
    );
  }
  return { bytes, bits };
}

function bytesOf(address: string): Uint8Array | null {
  // A socket of both families gives IPv4 clients as mapped addresses.
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1];
  return parseIpv4(mapped ?? address) ?? parseIpv6(address);
}

function covers({ bytes, bits }: Range, address: Uint8Array): boolean {
  if (address.length !== bytes.length) return false;
  for (let bit = 0; bit < bits; bit += 8) {
    const mask = bits - bit >= 8 ? 0xff : 0xff << 8 - (bits - bit) & 0xff;
    if (((address[bit / 8]! ^ bytes[bit / 8]!) & mask) !== 0) return false;
  }
  return true;
}

import type { IpPacket } from "../packet/ip_packet.ts";

/** First fragments remembered: 64 sets of four. */
const sets = 64;
const perSet = 4;
const slots = sets * perSet;
const keyWords = 10;

/** Seconds within which the fragments of a packet have to come (RFC 8200, 4.5 gives them 60 to be put together). */
export const fragmentLife = 30;
/**
 * Bytes of the original that only its first fragment may hold, so that no later one can write over the ports and flags the
 * verdict was about (RFC 1858, RFC 3128).
 */
export const protectedBytes = 60;

/**
 * Fragments behind the first have no ports. They pass where the first of the same packet passed; one that comes before it, or
 * without it, does not: senders try again.
 */
export class FragmentTable {
  readonly #keys = new Uint32Array(slots * keyWords);
  readonly #until = new Float64Array(slots);
  readonly #key = new Uint32Array(keyWords);

  /** A first fragment has been allowed. */
  allow(packet: IpPacket, peer: number, now: number): void {
    const set = this.#makeKey(packet, peer);
    let slot = set;
    for (let i = set; i < set + perSet; i++) {
      if (this.#until[i]! < this.#until[slot]!) slot = i;
    }
    this.#keys.set(this.#key, slot * keyWords);
    this.#until[slot] = now + fragmentLife;
  }

  /** Whether a later fragment may follow. */
  follows(packet: IpPacket, peer: number, now: number): boolean {
    if (packet.fragmentOffset < protectedBytes) return false;
    const set = this.#makeKey(packet, peer);
    for (let slot = set; slot < set + perSet; slot++) {
      if (this.#until[slot]! > now && this.#matches(slot * keyWords)) return true;
    }
    return false;
  }

  #matches(at: number): boolean {
    for (let i = 0; i < keyWords; i++) if (this.#keys[at + i] !== this.#key[i]) return false;
    return true;
  }

  /** @returns the first slot of the key's set */
  #makeKey({ source, destination, identification, protocol }: IpPacket, peer: number): number {
    const key = this.#key;
    for (let i = 0; i < 4; i++) {
      key[i] = source[i]!;
      key[i + 4] = destination[i]!;
    }
    key[8] = identification;
    key[9] = protocol << 24 | peer;
    const hash = Math.imul(identification ^ key[7]! ^ key[3]!, 0x2c1b3c6d);
    return (hash >>> 16 & (sets - 1)) * perSet;
  }
}

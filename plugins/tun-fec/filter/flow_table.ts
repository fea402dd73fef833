import { IpPacket, ipProtocol } from "../packet/ip_packet.ts";

/** Flows remembered: 8,192 sets of four. Beyond it the one of a set that was idle longest is forgotten. */
export const flowSets = 8_192;
export const flowsPerSet = 4;
const slots = flowSets * flowsPerSet;

/** Words of a key: two addresses, ports, protocol and peer. */
const keyWords = 10;

/** Seconds without a packet after which a flow is forgotten. */
export const flowIdle = { tcp: 7_440, tcpClosing: 30, udp: 180, other: 30 } as const;

const flag = { fin: 1, rst: 4 } as const;

/**
 * Flows that were allowed once, so that what answers them passes. A key names both ends in one order, whoever sent the packet.
 * Nothing is allocated for a packet; time is in seconds and only has to grow.
 */
export class FlowTable {
  readonly #keys = new Uint32Array(slots * keyWords);
  /** When the flow ends if nothing more is heard of it; 0 for a free slot. */
  readonly #until = new Float64Array(slots);
  /** Rules the flow was allowed under: of another generation it is asked for anew. */
  readonly #generation = new Uint32Array(slots);
  readonly #key = new Uint32Array(keyWords);
  /** Flows that had to make room while they were alive. */
  evicted = 0;

  /** True when the packet belongs to a flow allowed under these rules; its time begins anew. */
  touch(packet: IpPacket, peer: number, generation: number, now: number): boolean {
    const slot = this.#find(packet, peer, now);
    if (slot < 0 || this.#generation[slot] !== generation) return false;
    this.#until[slot] = now + idleOf(packet);
    return true;
  }

  /** Remembers the flow of a packet that the rules allow. */
  allow(packet: IpPacket, peer: number, generation: number, now: number): void {
    let slot = this.#find(packet, peer, now);
    if (slot < 0) {
      const set = this.#setOf() * flowsPerSet;
      slot = set;
      for (let i = set; i < set + flowsPerSet; i++) {
        if (this.#until[i]! < this.#until[slot]!) slot = i;
      }
      if (this.#until[slot]! > now) this.evicted++;
      this.#keys.set(this.#key, slot * keyWords);
    }
    this.#until[slot] = now + idleOf(packet);
    this.#generation[slot] = generation;
  }

  /** Flows alive. */
  count(now: number): number {
    let alive = 0;
    for (const until of this.#until) if (until > now) alive++;
    return alive;
  }

  #find(packet: IpPacket, peer: number, now: number): number {
    this.#makeKey(packet, peer);
    const set = this.#setOf() * flowsPerSet;
    for (let slot = set; slot < set + flowsPerSet; slot++) {
      if (this.#until[slot]! > now && this.#matches(slot * keyWords)) return slot;
    }
    return -1;
  }

  #matches(at: number): boolean {
    for (let i = 0; i < keyWords; i++) if (this.#keys[at + i] !== this.#key[i]) return false;
    return true;
  }

  #makeKey(packet: IpPacket, peer: number): void {
    const { source, destination, sourcePort, destinationPort, protocol } = packet;
    const key = this.#key;
    const swap = isBehind(source, sourcePort, destination, destinationPort);
    const first = swap ? destination : source;
    const second = swap ? source : destination;
    for (let i = 0; i < 4; i++) {
      key[i] = first[i]!;
      key[i + 4] = second[i]!;
    }
    key[8] = swap ? destinationPort << 16 | sourcePort : sourcePort << 16 | destinationPort;
    key[9] = protocol << 24 | peer;
  }

  #setOf(): number {
    // FNV-1a over words, then mixed once: peers cannot choose addresses freely, so collisions by intent are theirs alone.
    let hash = 0x811c9dc5;
    for (let i = 0; i < keyWords; i++) hash = Math.imul(hash ^ this.#key[i]!, 0x01000193);
    hash ^= hash >>> 15;
    hash = Math.imul(hash, 0x2c1b3c6d);
    return (hash ^ hash >>> 13) & (flowSets - 1);
  }
}

/** Whether the source end sorts behind the destination end. */
function isBehind(
  source: Uint32Array,
  sourcePort: number,
  destination: Uint32Array,
  destinationPort: number,
): boolean {
  for (let i = 0; i < 4; i++) {
    if (source[i] !== destination[i]) return source[i]! > destination[i]!;
  }
  return sourcePort > destinationPort;
}

function idleOf({ protocol, tcpFlags }: IpPacket): number {
  if (protocol === ipProtocol.tcp) {
    return (tcpFlags & (flag.fin | flag.rst)) !== 0 ? flowIdle.tcpClosing : flowIdle.tcp;
  }
  return protocol === ipProtocol.udp ? flowIdle.udp : flowIdle.other;
}

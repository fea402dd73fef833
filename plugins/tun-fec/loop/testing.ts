import { makePacket, type PacketFields } from "../packet/testing.ts";
import { needsChecksum, virtioHeader } from "../super_packet/virtio_header.ts";
import type { DirectionKey } from "../keys/key_agreement.ts";
import { trainSegments } from "./limits.ts";
import {
  answer,
  type LoopMemory,
  type LoopPorts,
  type SegmentCipher,
  type TunPort,
  type WireAddress,
  type WirePort,
} from "./ports.ts";
import type { LoopEvent, LoopTables, PeerTable } from "./types.ts";

/** Memory of a loop in tests. */
export class FakeMemory implements LoopMemory {
  readonly bytes: Uint8Array;
  readonly view: DataView;
  #used = 64;

  constructor(size = 16 << 20) {
    this.bytes = new Uint8Array(size);
    this.view = new DataView(this.bytes.buffer);
  }

  allocate(size: number, align = 64): number {
    const at = Math.ceil(this.#used / align) * align;
    if (at + size > this.bytes.length) throw new Error("the memory is used up");
    this.#used = at + size;
    return at;
  }
}

/** An interface: `sent` is what programs send, `received` what they get; both with virtio headers. */
export class FakeTun implements TunPort {
  readonly sent: Uint8Array[] = [];
  readonly received: Uint8Array[] = [];
  /** What a write is answered with, for packets it is true of. */
  refuse: ((packet: Uint8Array) => number) | undefined;
  readonly #memory: FakeMemory;

  constructor(memory: FakeMemory) {
    this.#memory = memory;
  }

  read(at: number, stride: number, size: number, count: number): number {
    const packet = this.sent.shift();
    if (packet === undefined) return answer.again;
    for (let i = 0; i < count; i++) {
      const piece = packet.subarray(i * size, (i + 1) * size);
      this.#memory.bytes.set(piece, at + i * stride);
    }
    return Math.min(packet.length, size * count);
  }

  write(at: Int32Array, length: Int32Array, pieces: number): number {
    const parts: Uint8Array[] = [];
    for (let i = 0; i < pieces; i++) {
      parts.push(this.#memory.bytes.slice(at[i]!, at[i]! + length[i]!));
    }
    const packet = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
    parts.reduce((offset, part) => (packet.set(part, offset), offset + part.length), 0);
    const refused = this.refuse?.(packet) ?? 0;
    if (refused < 0) return refused;
    this.received.push(packet);
    return packet.length;
  }
}

export class FakeAddress implements WireAddress {
  text: string;

  constructor(text = "") {
    this.text = text;
  }

  get isIpv4(): boolean {
    return !this.text.startsWith("[");
  }

  equals(other: WireAddress): boolean {
    return this.text === other.text;
  }

  copyFrom(other: WireAddress): void {
    this.text = other.text;
  }
}

/** A message on its way. */
export interface Datagrams {
  readonly from: string;
  readonly to: string;
  readonly bytes: Uint8Array;
  readonly segment: number;
  readonly tos: number;
}

/** Carries messages between fake ports; what nobody listens for is lost. */
export class FakeNetwork {
  readonly #ports = new Map<string, FakeWire>();
  /** Everything sent, in order. */
  readonly log: Datagrams[] = [];
  /** What becomes of a message: none is lost, one is as it was. */
  change: (message: Datagrams) => readonly Datagrams[] = (message) => [message];

  join(port: FakeWire): void {
    this.#ports.set(port.here, port);
  }

  leave(here: string): void {
    this.#ports.delete(here);
  }

  carry(message: Datagrams): void {
    this.log.push(message);
    for (const each of this.change(message)) this.#ports.get(each.to)?.arrived.push(each);
  }

  /** Messages cut to their datagrams, as where nothing merges them; `keep` says which arrive. */
  alone(keep: (datagram: Datagrams) => boolean = () => true): void {
    this.change = (message) => cut(message).filter(keep);
  }
}

/** The datagrams of a message. */
export function cut({ bytes, segment, ...rest }: Datagrams): Datagrams[] {
  const cuts: Datagrams[] = [];
  for (let at = 0; at < bytes.length; at += segment) {
    const part = bytes.subarray(at, at + segment);
    cuts.push({ ...rest, bytes: part, segment: part.length });
  }
  return cuts;
}

export class FakeWire implements WirePort {
  here: string;
  segment = 0;
  tos = 0;
  readonly from = new FakeAddress();
  readonly arrived: Datagrams[] = [];
  /** Bytes the socket still takes. */
  room = Infinity;
  /** Longest datagram the interface takes. */
  mtu = 65_507;
  readonly #memory: FakeMemory;
  readonly #network: FakeNetwork;

  constructor(memory: FakeMemory, network: FakeNetwork, here: string) {
    this.#memory = memory;
    this.#network = network;
    this.here = here;
    network.join(this);
  }

  /** The node is somewhere else now. */
  move(here: string): void {
    this.#network.leave(this.here);
    this.here = here;
    this.#network.join(this);
  }

  receive(at: number, room: number): number {
    const message = this.arrived.shift();
    if (message === undefined) return answer.again;
    if (message.bytes.length > room) throw new Error("no room for the message");
    this.#memory.bytes.set(message.bytes, at);
    this.segment = message.segment;
    this.tos = message.tos;
    this.from.text = message.from;
    return message.bytes.length;
  }

  send(to: WireAddress, at: number, length: number, segment: number, tos: number): number {
    if (Math.ceil(length / segment) > trainSegments || length > 65_507) return answer.invalid;
    if (Math.min(segment, length) > this.mtu) return answer.tooLong;
    if (length > this.room) return answer.again;
    this.room -= length;
    const bytes = this.#memory.bytes.slice(at, at + length);
    this.#network.carry({ from: this.here, to: to.text, bytes, segment, tos });
    return length;
  }

  address(endpoint: string): WireAddress {
    if (!/:\d+$/.test(endpoint)) throw new Error(`${endpoint} is no address`);
    return new FakeAddress(endpoint);
  }

  release(): void {}
}

/** Seals well enough for tests: a keystream of key and nonce, and a sum over everything that any change changes. */
export class ToyCipher implements SegmentCipher {
  readonly nonces = new Set<string>();
  disposed = false;
  readonly #bytes: Uint8Array;
  readonly #key: number;

  constructor(memory: FakeMemory, key: Uint8Array) {
    this.#bytes = memory.bytes;
    this.#key = key.reduce((sum, byte) => Math.imul(sum ^ byte, 0x0100_0193), 0x811c_9dc5);
  }

  seal(nonceAt: number, at: number, length: number, tagAt: number): void {
    if (this.disposed) throw new Error("the key has been disposed of");
    const nonce = this.#bytes.subarray(nonceAt, nonceAt + 12).toHex();
    if (this.nonces.has(nonce)) throw new Error(`nonce ${nonce} twice under one key`);
    this.nonces.add(nonce);
    const seed = this.#seed(nonceAt);
    const tag = this.#tag(seed, at, length);
    this.#crypt(seed, at, length);
    this.#bytes.set(tag, tagAt);
  }

  open(nonceAt: number, at: number, length: number, tagAt: number): boolean {
    if (this.disposed) throw new Error("the key has been disposed of");
    const seed = this.#seed(nonceAt);
    this.#crypt(seed, at, length);
    const tag = this.#tag(seed, at, length);
    return tag.every((byte, i) => byte === this.#bytes[tagAt + i]);
  }

  #seed(nonceAt: number): number {
    let seed = this.#key;
    for (let i = 0; i < 12; i++) seed = Math.imul(seed ^ this.#bytes[nonceAt + i]!, 0x0100_0193);
    return seed;
  }

  #crypt(seed: number, at: number, length: number): void {
    for (let i = 0; i < length; i++) {
      this.#bytes[at + i]! ^= seed = Math.imul(seed, 1_664_525) + 1_013_904_223 >>> 24;
    }
  }

  #tag(seed: number, at: number, length: number): Uint8Array {
    let sum = seed;
    for (let i = 0; i < length; i++) sum = Math.imul(sum ^ this.#bytes[at + i]!, 0x0100_0193);
    const tag = new Uint8Array(16);
    new DataView(tag.buffer).setUint32(0, sum);
    new DataView(tag.buffer).setUint32(4, length);
    return tag;
  }

  [Symbol.dispose](): void {
    this.disposed = true;
  }
}

/** Everything outside of a loop under test. */
export class FakePorts implements LoopPorts {
  readonly memory: FakeMemory;
  readonly tun: FakeTun;
  readonly wire: FakeWire;
  readonly said: LoopEvent[] = [];
  readonly ciphers: ToyCipher[] = [];

  constructor(network: FakeNetwork, here: string) {
    this.memory = new FakeMemory();
    this.tun = new FakeTun(this.memory);
    this.wire = new FakeWire(this.memory, network, here);
  }

  cipher({ key }: DirectionKey): ToyCipher {
    const cipher = new ToyCipher(this.memory, key);
    this.ciphers.push(cipher);
    return cipher;
  }

  say(event: LoopEvent): void {
    this.said.push(event);
  }

  /** What was said of one kind. */
  heard<K extends LoopEvent["say"]>(kind: K): Extract<LoopEvent, { say: K }>[] {
    return this.said.filter((event): event is Extract<LoopEvent, { say: K }> => event.say === kind);
  }
}

/** A packet as it comes from an interface. @param sum the checksum of UDP is left to whoever gets it */
export function fromTun(fields: PacketFields, sum = false): Uint8Array {
  const packet = makePacket(fields);
  const bytes = new Uint8Array(virtioHeader + packet.length);
  bytes.set(packet, virtioHeader);
  if (sum) {
    bytes[0] = needsChecksum;
    bytes[6] = fields.source.includes(":") ? 40 : 20;
    bytes[8] = 6;
  }
  return bytes;
}

export const openRules = { rules: [], otherwise: true } as const;

/** A peer with everything allowed. */
export function makePeer(more: Partial<PeerTable> & Pick<PeerTable, "id" | "index">): PeerTable {
  return {
    addresses: [],
    behind: [],
    inbound: openRules,
    outbound: openRules,
    paths: [],
    fec: false,
    ...more,
  };
}

export function makeTables(
  addresses: readonly string[],
  peers: readonly PeerTable[],
  more: Partial<LoopTables> = {},
): LoopTables {
  return { version: 1, self: { addresses, behind: [] }, peers, labels: [], ...more };
}

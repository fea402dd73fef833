import { Arena } from "../../../ffi/libc/arena.ts";
import { Libc } from "../../../ffi/libc/libc.ts";
import { Aead } from "../../../ffi/libcrypto/aead.ts";
import { Libcrypto } from "../../../ffi/libcrypto/libcrypto.ts";
import type { DirectionKey } from "../../../plugins/tun-fec/keys/key_agreement.ts";
import { PacketLoop } from "../../../plugins/tun-fec/loop/loop.ts";
import {
  answer,
  type LoopPorts,
  type TunPort,
  type WireAddress,
  type WirePort,
} from "../../../plugins/tun-fec/loop/ports.ts";
import {
  FakeAddress,
  fromTun,
  makePeer,
  makeTables,
} from "../../../plugins/tun-fec/loop/testing.ts";
import type { LoopEvent } from "../../../plugins/tun-fec/loop/types.ts";
import { virtioHeader } from "../../../plugins/tun-fec/super_packet/virtio_header.ts";

const memoryBytes = 24 << 20;

/** An interface that always has the same packet, and takes what it is given. */
class EndlessTun implements TunPort {
  readonly #arena: Arena;
  #head = new Uint8Array(0);
  #length = 0;
  left = 0;
  written = 0;

  constructor(arena: Arena) {
    this.#arena = arena;
  }

  set packet(packet: Uint8Array) {
    // The kernel's copy is not the loop's work: what is behind the headers is whatever lies there.
    this.#head = packet.slice(0, Math.min(packet.length, virtioHeader + 60));
    this.#length = packet.length;
  }

  read(at: number): number {
    if (this.left === 0) return answer.again;
    this.left--;
    this.#arena.bytes.set(this.#head, at);
    return this.#length;
  }

  write(_at: Int32Array, length: Int32Array, pieces: number): number {
    this.written++;
    let total = 0;
    for (let i = 0; i < pieces; i++) total += length[i]!;
    return total;
  }
}

/** Room for messages under way: what a turn sends. */
const wireBytes = 16 << 20;

/** A wire that copies each message once to send and once to receive it. */
class DirectWire implements WirePort {
  segment = 0;
  readonly tos = 0;
  readonly from: WireAddress;
  /** Where to, and null for nowhere. */
  other: DirectWire | null = null;
  readonly #here: string;
  readonly #arena: Arena;
  readonly #waiting: { at: number; length: number; segment: number }[] = [];
  readonly #bytes = new Uint8Array(wireBytes);
  #used = 0;

  constructor(arena: Arena, here: string, from: string) {
    this.#arena = arena;
    this.#here = here;
    this.from = new FakeAddress(from);
  }

  receive(at: number): number {
    const message = this.#waiting.shift();
    if (message === undefined) return answer.again;
    const { length } = message;
    this.#arena.bytes.set(this.#bytes.subarray(message.at, message.at + length), at);
    this.segment = message.segment;
    return length;
  }

  send(_to: WireAddress, at: number, length: number, segment: number): number {
    if (Math.min(length, segment) > 1_472) return answer.tooLong;
    this.other?.put(this.#arena.bytes.subarray(at, at + length), segment);
    return length;
  }

  put(bytes: Uint8Array, segment: number): void {
    if (this.#used + bytes.length > wireBytes) this.#used = 0;
    this.#bytes.set(bytes, this.#used);
    this.#waiting.push({ at: this.#used, length: bytes.length, segment });
    this.#used += bytes.length;
  }

  address(endpoint: string): WireAddress {
    return new FakeAddress(endpoint === this.#here ? "" : endpoint);
  }

  release(): void {}
}

/** One loop on memory and ciphers as it has them in earnest, between an interface and a wire that cost next to nothing. */
export class BenchNode implements Disposable {
  readonly tun: EndlessTun;
  readonly wire: DirectWire;
  readonly loop: PacketLoop;
  readonly arena: Arena;
  readonly #libc = Libc.open();
  readonly #libcrypto = Libcrypto.open(this.#libc);
  readonly #ciphers: Aead[] = [];
  say: (event: LoopEvent) => void = () => {};

  constructor(here: string, there: string) {
    const arena = this.arena = new Arena(this.#libc, memoryBytes);
    this.tun = new EndlessTun(arena);
    this.wire = new DirectWire(arena, here, there);
    const ports: LoopPorts = {
      memory: arena,
      tun: this.tun,
      wire: this.wire,
      cipher: (key) => this.cipher(key),
      say: (event) => this.say(event),
    };
    this.loop = new PacketLoop(ports);
  }

  cipher({ cipher, key }: DirectionKey): Aead {
    const aead = new Aead(this.#libcrypto, this.arena, cipher, key);
    this.#ciphers.push(aead);
    return aead;
  }

  [Symbol.dispose](): void {
    for (const aead of this.#ciphers) aead[Symbol.dispose]();
    this.arena[Symbol.dispose]();
    this.#libcrypto[Symbol.dispose]();
    this.#libc[Symbol.dispose]();
  }
}

const endpoints = ["192.0.2.1:100", "192.0.2.2:200"] as const;
const addresses = [["10.100.0.1/32"], ["10.100.0.2/32"]] as const;

/** A sender and a receiver that know each other. */
export class LoopPair implements Disposable {
  readonly sender = new BenchNode(...endpoints);
  readonly receiver = new BenchNode(endpoints[1], endpoints[0]);
  #now = 0;

  constructor() {
    const nodes = [this.sender, this.receiver];
    const key = (receiver: number): DirectionKey => ({
      epoch: 1,
      receiver,
      cipher: "aes-128-gcm",
      key: new Uint8Array(16).fill(receiver),
    });
    for (const [i, { loop }] of nodes.entries()) {
      const other = 1 - i;
      const id = `${other}`.repeat(32);
      const tables = makeTables(addresses[i]!, [makePeer({
        id,
        index: 1,
        addresses: addresses[other]!,
        paths: [{ endpoint: endpoints[other]!, via: id, label: 0, weight: 1 }],
      })]);
      loop.command({ do: "tables", tables }, 0);
      loop.command({ do: "receive", peer: 1, key: key(i + 1) }, 0);
      loop.command({ do: "seal", peer: 1, key: key(other + 1) }, 0);
    }
    // Until the path's size is known: it is searched when the path is used.
    this.sender.tun.packet = fromTun({
      source: "10.100.0.1",
      destination: "10.100.0.2",
      protocol: "udp",
    });
    this.sender.wire.other = this.receiver.wire;
    this.receiver.wire.other = this.sender.wire;
    for (; this.#now < 5_000; this.#now += 10) {
      this.sender.tun.left = 1;
      for (const { loop } of nodes) {
        loop.turn(this.#now);
        loop.tick(this.#now);
      }
    }
  }

  /** Sends a packet so many times. @param received whether the other end takes part */
  send(packet: Uint8Array, count: number, received: boolean): void {
    const { sender, receiver } = this;
    sender.wire.other = received ? receiver.wire : null;
    sender.tun.packet = packet;
    sender.tun.left = count;
    const before = receiver.tun.written;
    while (sender.loop.turn(this.#now)) if (received) receiver.loop.turn(this.#now);
    while (receiver.loop.turn(this.#now));
    if (received && receiver.tun.written === before) throw new Error("nothing has arrived");
  }

  [Symbol.dispose](): void {
    this.sender[Symbol.dispose]();
    this.receiver[Symbol.dispose]();
  }
}

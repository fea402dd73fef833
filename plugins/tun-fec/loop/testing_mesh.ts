import type { DirectionKey } from "../keys/key_agreement.ts";
import { PacketLoop } from "./loop.ts";
import { FakeNetwork, FakePorts, makePeer, makeTables } from "./testing.ts";
import type { LoopStats, LoopTables, PathTable, PeerTable } from "./types.ts";

export const idOf = (name: string) => name.repeat(32).slice(0, 32);

/** A loop on fake ports. */
export class TestNode {
  readonly name: string;
  readonly ports: FakePorts;
  readonly loop: PacketLoop;

  constructor(network: FakeNetwork, name: string, endpoint: string) {
    this.name = name;
    this.ports = new FakePorts(network, endpoint);
    this.loop = new PacketLoop(this.ports);
  }

  tables(
    addresses: readonly string[],
    peers: readonly PeerTable[],
    more: Partial<LoopTables> = {},
  ) {
    this.loop.command({ do: "tables", tables: makeTables(addresses, peers, more) }, 0);
  }

  stats(): LoopStats {
    this.loop.command({ do: "stats" }, 0);
    return this.ports.heard("stats").at(-1)!.stats;
  }
}

/** The key of one direction. */
export function testKey(epoch: number, receiver: number): DirectionKey {
  const key = new Uint8Array(16).fill(receiver & 0xff);
  key[0] = epoch;
  return { epoch, receiver, cipher: "aes-128-gcm", key };
}

/** Gives both ends the keys of an epoch: `a`'s receiver indexes end in 1, `b`'s in 2. */
export function exchangeKeys(a: TestNode, b: TestNode, epoch = 1): void {
  const [toA, toB] = [testKey(epoch, epoch * 1_000 + 1), testKey(epoch, epoch * 1_000 + 2)];
  a.loop.command({ do: "receive", peer: 1, key: toA }, 0);
  b.loop.command({ do: "receive", peer: 1, key: toB }, 0);
  a.loop.command({ do: "seal", peer: 1, key: toB }, 0);
  b.loop.command({ do: "seal", peer: 1, key: toA }, 0);
}

export const addressesOf = {
  a: ["10.100.0.1/32", "fd00::1/128"],
  b: ["10.100.0.2/32", "fd00::2/128"],
} as const;

export const endpointOf = { a: "192.0.2.1:100", b: "192.0.2.2:200" } as const;

export interface PairOptions {
  readonly ofA?: Partial<PeerTable>;
  readonly ofB?: Partial<PeerTable>;
}

/** Two nodes that know each other, with keys. What `a` knows of `b` is `ofB`. */
export function makePair({ ofA, ofB }: PairOptions = {}) {
  const network = new FakeNetwork();
  const a = new TestNode(network, "a", endpointOf.a);
  const b = new TestNode(network, "b", endpointOf.b);
  const know = (node: TestNode, other: "a" | "b", more: Partial<PeerTable> = {}) =>
    node.tables(addressesOf[node.name as "a" | "b"], [makePeer({
      id: idOf(other),
      index: 1,
      addresses: addressesOf[other],
      paths: [directPath(other)],
      ...more,
    })]);
  know(a, "b", ofB);
  know(b, "a", ofA);
  exchangeKeys(a, b);
  // What they say to each other about the new keys.
  settle([a, b], 0);
  network.log.length = a.ports.said.length = b.ports.said.length = 0;
  return { network, a, b, know };
}

export function directPath(to: "a" | "b", more: Partial<PathTable> = {}): PathTable {
  return { endpoint: endpointOf[to], via: idOf(to), label: 0, weight: 1, ...more };
}

/** Turns loops until none has anything more to do. */
export function settle(nodes: readonly TestNode[], now = 1_000): void {
  for (let quiet = false; !quiet;) {
    quiet = true;
    for (const { loop, ports } of nodes) {
      if (ports.wire.arrived.length > 0 || ports.tun.sent.length > 0) quiet = false;
      loop.turn(now);
    }
  }
}

export const hex = (packets: readonly Uint8Array[]) => packets.map((packet) => packet.toHex());

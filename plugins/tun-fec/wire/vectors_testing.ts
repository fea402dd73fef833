import { type CipherGCMTypes, createCipheriv, createDecipheriv } from "node:crypto";
import type { DirectionKey } from "../keys/key_agreement.ts";
import { PacketLoop } from "../loop/loop.ts";
import type { SegmentCipher } from "../loop/ports.ts";
import { FakeMemory, FakeNetwork, FakePorts, makePeer, makeTables } from "../loop/testing.ts";
import type { LoopPorts } from "../loop/ports.ts";
import type { PathTable } from "../loop/types.ts";

/** The ciphers of RFC 5116 and RFC 8439 as another implementation has them. */
class NodeCipher implements SegmentCipher {
  readonly #bytes: Uint8Array;
  readonly #key: DirectionKey;

  constructor(memory: FakeMemory, key: DirectionKey) {
    this.#bytes = memory.bytes;
    this.#key = key;
  }

  seal(nonceAt: number, at: number, length: number, tagAt: number): void {
    const { cipher, key } = this.#key;
    const nonce = this.#bytes.slice(nonceAt, nonceAt + 12);
    const one = createCipheriv(cipher as CipherGCMTypes, key, nonce, { authTagLength: 16 });
    this.#bytes.set(one.update(this.#bytes.slice(at, at + length)), at);
    one.final();
    this.#bytes.set(one.getAuthTag(), tagAt);
  }

  open(nonceAt: number, at: number, length: number, tagAt: number): boolean {
    const { cipher, key } = this.#key;
    const nonce = this.#bytes.slice(nonceAt, nonceAt + 12);
    const one = createDecipheriv(cipher as CipherGCMTypes, key, nonce, { authTagLength: 16 });
    one.setAuthTag(this.#bytes.slice(tagAt, tagAt + 16));
    this.#bytes.set(one.update(this.#bytes.slice(at, at + length)), at);
    try {
      one.final();
      return true;
    } catch {
      return false;
    }
  }

  [Symbol.dispose](): void {}
}

const ids = { a: "a".repeat(32), b: "b".repeat(32), relay: "c".repeat(32) };

/** A sender at 10.100.0.1 and a receiver at 10.100.0.2 with one key between them. */
export class VectorPair {
  /** Datagrams sent, the first one first. */
  readonly datagrams: Uint8Array[] = [];
  /** What the receiver's interface got. */
  readonly received: Uint8Array[];
  readonly #sender: PacketLoop;
  readonly #tun: FakePorts["tun"];
  readonly #receiver: PacketLoop;

  /** @param label of a relay; 0: without one */
  constructor(key: DirectionKey, label: number) {
    const network = new FakeNetwork();
    network.change = ({ bytes, segment }) => {
      for (let at = 0; at < bytes.length; at += segment) {
        this.datagrams.push(bytes.slice(at, at + segment));
      }
      return [];
    };
    const make = (here: string) => {
      const fake = new FakePorts(network, here);
      const ports: LoopPorts = {
        memory: fake.memory,
        tun: fake.tun,
        wire: fake.wire,
        cipher: (one) => new NodeCipher(fake.memory, one),
        say: () => {},
      };
      return { fake, loop: new PacketLoop(ports) };
    };
    const [sender, receiver] = [make("192.0.2.1:1"), make("192.0.2.2:2")];
    const via = label === 0 ? ids.b : ids.relay;
    const paths: PathTable[] = [{ endpoint: "192.0.2.2:2", via, label, weight: 1 }];
    const know = (loop: PacketLoop, self: string[], id: string, addresses: string[], more = {}) =>
      loop.command({
        do: "tables",
        tables: makeTables(self, [makePeer({ id, index: 1, addresses, ...more })]),
      }, 0);
    const [ofA, ofB] = [["10.100.0.1/32", "fd00::1/128"], ["10.100.0.2/32", "fd00::2/128"]];
    know(sender.loop, ofA, ids.b, ofB, { paths });
    know(receiver.loop, ofB, ids.a, ofA);
    sender.loop.command({ do: "seal", peer: 1, key }, 0);
    receiver.loop.command({ do: "receive", peer: 1, key }, 0);
    this.#sender = sender.loop;
    this.#tun = sender.fake.tun;
    this.#receiver = receiver.loop;
    this.received = receiver.fake.tun.received;
  }

  send(packet: Uint8Array): Uint8Array[] {
    this.datagrams.length = 0;
    this.#tun.sent.push(packet);
    this.#sender.turn(0);
    return this.datagrams.slice();
  }

  /** @returns what comes out at the receiver's interface */
  receive(datagrams: readonly Uint8Array[]): Uint8Array[] {
    const before = this.received.length;
    for (const bytes of datagrams) {
      this.#receiver.command({ do: "segment", from: ids.a, bytes }, 0);
    }
    return this.received.slice(before);
  }
}

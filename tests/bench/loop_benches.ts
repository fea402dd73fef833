import process from "node:process";
import { fromTun } from "../../plugins/tun-fec/loop/testing.ts";
import {
  type MakeFecBuffer,
  plainBuffer,
  simdBuffer,
} from "../../plugins/tun-fec/fec/fec_buffer.ts";
import { makeSuperPacket } from "../../plugins/tun-fec/super_packet/testing.ts";
import type { Bench, BenchGroup, RunningBench } from "./bench.ts";
import { BenchNode, LoopPair } from "./peers/loop_pair.ts";
import { ParityCodec } from "./peers/parity_codec.ts";

const bulk = makeSuperPacket({
  six: false,
  protocol: "tcp",
  payload: new Uint8Array(61_900),
  gsoSize: 1_360,
});
const udp = (bytes: number) =>
  fromTun({
    source: "10.100.0.1",
    destination: "10.100.0.2",
    protocol: "udp",
    payload: new Uint8Array(bytes),
  }, true);

/** Of this process: what else runs does not count. */
function cpuMicroseconds(): number {
  const { user, system } = process.cpuUsage();
  return user + system;
}

/** Microseconds that a packet costs, over so many of them. */
function packets(packet: Uint8Array, count: number, received: boolean) {
  return (): Promise<RunningBench> => {
    const pair = new LoopPair();
    return Promise.resolve({
      round: () => {
        const began = cpuMicroseconds();
        pair.send(packet, count, received);
        return Promise.resolve((cpuMicroseconds() - began) / count);
      },
      [Symbol.asyncDispose]: () => Promise.resolve(pair[Symbol.dispose]()),
    });
  };
}

/** The ciphers' part of it, without any loop. */
function sealing(segments: number, bytes: number): Bench["start"] {
  return () => {
    const node = new BenchNode("a:1", "b:1");
    const at = node.arena.allocate(70_000);
    const aead = node.cipher({
      epoch: 1,
      receiver: 1,
      cipher: "aes-128-gcm",
      key: new Uint8Array(16),
    });
    let counter = 0;
    const rounds = 2_000;
    return Promise.resolve({
      round: () => {
        const began = cpuMicroseconds();
        for (let i = 0; i < rounds; i++) {
          for (let n = 0; n < segments; n++) {
            const head = at + n * (bytes + 36);
            node.arena.view.setUint32(head + 16, counter++);
            aead.seal(head + 8, head + 20, bytes, head + 20 + bytes);
          }
        }
        return Promise.resolve((cpuMicroseconds() - began) / rounds);
      },
      [Symbol.asyncDispose]: () => Promise.resolve(node[Symbol.dispose]()),
    });
  };
}

/** What parity adds to a packet of 62 kB at both ends together. */
function parity(make: MakeFecBuffer, packets: number): Bench["start"] {
  return () => {
    const codec = new ParityCodec(make);
    return Promise.resolve({
      round: () => {
        const began = cpuMicroseconds();
        codec.send(packets * 44);
        return Promise.resolve((cpuMicroseconds() - began) / packets);
      },
      [Symbol.asyncDispose]: () => Promise.resolve(),
    });
  };
}

/** What the packet loop costs beside the kernel. */
export const loopBenches: readonly BenchGroup[] = [
  {
    title: "Packet loop: memory and ciphers as in earnest, no kernel",
    rounds: 5,
    benches: [
      {
        name: "loop-cipher",
        title: "sealing 62 kB in 44 segments, and nothing else",
        unit: "us",
        start: sealing(44, 1_436),
      },
      {
        name: "loop-seal",
        title: "a TCP packet of 62 kB sealed",
        unit: "us",
        target: 100,
        against: { name: "loop-cipher" },
        start: packets(bulk, 2_000, false),
      },
      {
        name: "loop-carry",
        title: "the same, sealed and opened",
        unit: "us",
        target: 200,
        against: { name: "loop-cipher" },
        start: packets(bulk, 2_000, true),
      },
      {
        name: "loop-udp",
        title: "a UDP packet of 1200 B, sealed and opened",
        unit: "us",
        target: 6,
        start: packets(udp(1_200), 50_000, true),
      },
      {
        name: "loop-small",
        title: "a UDP packet of 64 B, sealed and opened",
        unit: "us",
        target: 5,
        start: packets(udp(64), 50_000, true),
      },
      {
        name: "fec-plain",
        title: "parity 32+10 for 62 kB with a tenth lost, in JavaScript",
        unit: "us",
        against: { name: "loop-carry" },
        start: parity(plainBuffer, 200),
      },
      {
        name: "fec-simd",
        title: "the same with the kernel for SIMD",
        unit: "us",
        against: { name: "loop-carry" },
        start: parity(simdBuffer, 2_000),
      },
    ],
  },
];

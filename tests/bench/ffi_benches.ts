import { type CipherGCMTypes, createCipheriv } from "node:crypto";
import { Aead, aeadKeyBytes, type AeadName, NONCE, TAG } from "../../ffi/libcrypto/aead.ts";
import { Libcrypto } from "../../ffi/libcrypto/libcrypto.ts";
import { Arena } from "../../ffi/libc/arena.ts";
import { Libc } from "../../ffi/libc/libc.ts";
import { ReceiveBatch } from "../../ffi/udp/receive_batch.ts";
import { SendBatch } from "../../ffi/udp/send_batch.ts";
import { AddressSlot } from "../../ffi/udp/socket_address.ts";
import { UdpSocket } from "../../ffi/udp/udp_socket.ts";
import type { BenchGroup, RunningBench } from "./bench.ts";
import { gigabitsPerSecond } from "./statistics.ts";

const datagram = 1400;
const sealings = 100_000;
const trainLength = 45;
const trains = 20_000;

function running(stack: DisposableStack, round: () => number): RunningBench {
  const owned = stack.move();
  return {
    round: () => Promise.resolve(round()),
    [Symbol.asyncDispose]: () => Promise.resolve(owned.dispose()),
  };
}

/** Microseconds for one call. */
function perCall(calls: number, call: () => void): number {
  const began = performance.now();
  for (let i = 0; i < calls; i++) call();
  return (performance.now() - began) * 1_000 / calls;
}

function sealNative(name: AeadName): RunningBench {
  using stack = new DisposableStack();
  const libc = stack.use(Libc.open());
  const libcrypto = stack.use(Libcrypto.open(libc));
  const arena = stack.use(new Arena(libc, 1 << 16));
  const aead = stack.use(new Aead(libcrypto, arena, name, new Uint8Array(aeadKeyBytes(name))));
  const nonceAt = arena.allocate(NONCE);
  const at = arena.allocate(datagram + TAG);
  return running(stack, () =>
    perCall(sealings, () => {
      // No nonce twice, as in earnest.
      arena.view.setUint32(nonceAt, arena.view.getUint32(nonceAt) + 1);
      aead.seal(nonceAt, at, datagram, at + datagram);
    }));
}

function sealNode(name: AeadName): RunningBench {
  const key = new Uint8Array(aeadKeyBytes(name));
  const nonce = new Uint8Array(NONCE);
  const text = new Uint8Array(datagram);
  return running(new DisposableStack(), () =>
    perCall(sealings / 10, () => {
      nonce[0]!++;
      const cipher = createCipheriv(name as CipherGCMTypes, key, nonce, { authTagLength: TAG });
      cipher.update(text);
      cipher.final();
      cipher.getAuthTag();
    }));
}

/** Datagrams from one socket to another on loopback, `count` in each call. */
function datagrams(count: number): RunningBench {
  using stack = new DisposableStack();
  const libc = stack.use(Libc.open());
  const arena = stack.use(new Arena(libc, 1 << 18));
  const bind = () => stack.use(UdpSocket.bind(libc, { address: "127.0.0.1", port: 0 }));
  const [from, to] = [bind(), bind()];
  const address = new AddressSlot(arena, "ipv4");
  address.set(to.address);
  const sends = new SendBatch(libc, arena, 1);
  const receives = new ReceiveBatch(libc, arena, "ipv4", 1);
  const bytes = count * datagram;
  sends.set(0, address, arena.allocate(bytes), bytes, count === 1 ? 0 : datagram);
  receives.set(0, arena.allocate(1 << 16), 1 << 16);
  return running(stack, () => {
    let received = 0;
    const began = performance.now();
    for (let i = 0; i < trains; i++) {
      sends.send(from, 0, 1);
      while (receives.receive(to, 1) === 1) received += receives.length(0);
    }
    return gigabitsPerSecond(received, (performance.now() - began) / 1_000);
  });
}

const start = (make: () => RunningBench) => () => Promise.resolve(make());

/** What native calls cost and give. */
export const ffiBenches: readonly BenchGroup[] = [
  {
    title: "Sealing 1400 bytes in place",
    rounds: 5,
    benches: [
      {
        name: "seal-node",
        title: "node:crypto, AES-128-GCM",
        unit: "us",
        start: start(() => sealNode("aes-128-gcm")),
      },
      {
        name: "seal",
        title: "libcrypto, AES-128-GCM",
        unit: "us",
        target: 1,
        against: { name: "seal-node" },
        start: start(() => sealNative("aes-128-gcm")),
      },
      {
        name: "seal-chacha",
        title: "libcrypto, ChaCha20-Poly1305",
        unit: "us",
        target: 2,
        against: { name: "seal-node" },
        start: start(() => sealNative("chacha20-poly1305")),
      },
    ],
  },
  {
    title: "UDP over loopback, sent and received by one thread",
    rounds: 5,
    benches: [
      {
        name: "datagrams",
        title: "datagrams of 1400 bytes, one in each call",
        unit: "Gbit/s",
        start: start(() => datagrams(1)),
      },
      {
        name: "trains",
        title: `trains of ${trainLength} of them`,
        unit: "Gbit/s",
        target: 10,
        against: { name: "datagrams", target: 5 },
        start: start(() => datagrams(trainLength)),
      },
    ],
  },
];

import assert from "node:assert/strict";
import { Libc } from "../../ffi/libc/libc.ts";
import { Arena } from "../../ffi/libc/arena.ts";
import { inNamespace } from "../../ffi/testing.ts";
import { ReceiveBatch } from "../../ffi/udp/receive_batch.ts";
import { SendBatch } from "../../ffi/udp/send_batch.ts";
import { AddressSlot } from "../../ffi/udp/socket_address.ts";
import { UdpSocket } from "../../ffi/udp/udp_socket.ts";
import { LossyWire } from "./lossy_wire.ts";
import { eventually, Lab, labTest } from "./mod.ts";

const needs = { namespaces: true } as const;
const size = 100;

/** A socket in a node, that sends trains of numbered datagrams and remembers the numbers that come. */
class End implements Disposable {
  readonly port: number;
  readonly numbers: number[] = [];
  readonly #stack = new DisposableStack();
  readonly #arena: Arena;
  readonly #socket: UdpSocket;
  readonly #to: AddressSlot;
  readonly #sent: SendBatch;
  readonly #received: ReceiveBatch;
  readonly #at: number;

  constructor(namespace: string) {
    const libc = this.#stack.use(Libc.open());
    this.#arena = this.#stack.use(new Arena(libc, 1 << 20));
    const bind = () => UdpSocket.bind(libc, { address: "0.0.0.0", port: 0, gro: false });
    this.#socket = this.#stack.use(inNamespace(libc, namespace, bind));
    this.port = this.#socket.address.port;
    this.#to = new AddressSlot(this.#arena, "ipv4");
    this.#sent = new SendBatch(libc, this.#arena, 1);
    this.#received = new ReceiveBatch(libc, this.#arena, "ipv4", 1);
    this.#at = this.#arena.allocate(65_536);
  }

  send(address: string, port: number, from: number, count: number): void {
    this.#to.set({ address, port });
    for (let i = 0; i < count; i++) this.#arena.view.setUint32(this.#at + i * size, from + i);
    this.#sent.set(0, this.#to, this.#at, count * size, size);
    assert.equal(this.#sent.send(this.#socket, 0, 1), 1);
  }

  take(): number {
    this.#received.set(0, this.#at, 65_536);
    while (this.#received.receive(this.#socket, 1) > 0) {
      this.numbers.push(this.#arena.view.getUint32(this.#at));
    }
    return this.numbers.length;
  }

  [Symbol.dispose](): void {
    this.#stack[Symbol.dispose]();
  }
}

labTest("a wire takes what its model says out of trains, and delays the rest", needs, async () => {
  await using lab = await Lab.create();
  const [first, middle, second] = [
    await lab.node("a"),
    await lab.node("wire"),
    await lab.node("b"),
  ];
  const [left, right] = [await lab.link("a", "wire"), await lab.link("wire", "b")];
  await using wire = new LossyWire(middle);
  using a = new End(first);
  using b = new End(second);
  wire.plug({ address: left.ipv4("a"), port: a.port }, {
    address: right.ipv4("b"),
    port: b.port,
  });
  let n = 0;
  wire.there.loss = { loss: 0.2, burst: 1, next: () => n++ % 5 === 2 };
  wire.there.delayMs = 40;
  let seen = 0;
  wire.there.inspect = () => seen++;
  const began = performance.now();
  for (let i = 0; i < 10; i++) a.send(left.ipv4("wire"), wire.ports[0], i * 50, 50);
  await eventually(() => b.take() === 400, { what: "what is not lost arrives", intervalMs: 1 });
  assert.ok(performance.now() - began >= 40, `${performance.now() - began} ms`);
  const expected = Array.from({ length: 500 }, (_, i) => i).filter((i) => i % 5 !== 2);
  assert.deepEqual(b.numbers, expected);
  assert.deepEqual([seen, wire.there.lost, wire.there.overflown], [500, 100, 0]);
  b.send(right.ipv4("wire"), wire.ports[1], 7, 1);
  await eventually(() => a.take() === 1, { what: "the other way nothing is lost" });
  assert.deepEqual(a.numbers, [7]);
});

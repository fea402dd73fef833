import assert from "node:assert/strict";
import { Arena } from "../../../ffi/libc/arena.ts";
import { Libc } from "../../../ffi/libc/libc.ts";
import { UdpSocket } from "../../../ffi/udp/udp_socket.ts";
import { queueBytes } from "../loop/limits.ts";
import { answer } from "../loop/ports.ts";
import { NativeTunPort } from "./tun_port.ts";
import { NativeWirePort } from "./wire_port.ts";

const host = "127.0.0.1";

/** A port whose queues are sockets: a datagram stands for a packet. */
class Queues implements Disposable {
  readonly libc = Libc.open();
  readonly arena = new Arena(this.libc, 8 << 20);
  readonly sockets: readonly UdpSocket[];
  readonly port: NativeTunPort;
  readonly at = this.arena.allocate(1 << 16);
  readonly #sender = UdpSocket.bind(this.libc, { address: host, port: 0 });
  readonly #wire = new NativeWirePort(this.libc, this.arena, this.#sender);

  constructor(count: number) {
    this.sockets = Array.from(
      { length: count },
      () => UdpSocket.bind(this.libc, { address: host, port: 0, bufferBytes: 4 << 20 }),
    );
    this.port = new NativeTunPort(this.libc, this.arena, this.sockets.map(({ fd }) => fd));
  }

  put(queue: number, bytes: number, count: number): void {
    const to = this.#wire.address(`${host}:${this.sockets[queue]!.address.port}`);
    for (let n = 0; n < count; n++) {
      assert.equal(this.#wire.send(to, this.at, bytes, bytes, 0), bytes);
    }
    this.#wire.release(to);
  }

  read(): number {
    return this.port.read(this.at, 2_048, 2_048, 16);
  }

  /** Sizes of packets that are read until there are none. */
  all(): number[] {
    const sizes = [];
    for (let size = this.read(); size > 0; size = this.read()) sizes.push(size);
    return sizes;
  }

  [Symbol.dispose](): void {
    for (const socket of [...this.sockets, this.#sender]) socket[Symbol.dispose]();
    this.arena[Symbol.dispose]();
    this.libc[Symbol.dispose]();
  }
}

Deno.test("queues have their turns with so many bytes each, and one that is empty is passed over", () => {
  using queues = new Queues(3);
  const inATurn = Math.ceil(queueBytes / 8_000);
  queues.put(0, 8_000, 2 * inATurn);
  queues.put(2, 100, 3);
  assert.deepEqual(queues.all(), [
    ...Array(inATurn).fill(8_000),
    ...Array(3).fill(100),
    ...Array(inATurn).fill(8_000),
  ]);
  assert.equal(queues.port.readable, false);
});

Deno.test("a queue that was empty is asked again when it is said to have something", () => {
  using queues = new Queues(2);
  assert.equal(queues.read(), answer.again);
  queues.put(0, 10, 1);
  queues.put(1, 20, 1);
  assert.equal(queues.read(), answer.again);
  queues.port.mayRead(1, true);
  assert.deepEqual(queues.all(), [20]);
  queues.port.mayRead(0, true);
  assert.deepEqual(queues.all(), [10]);
});

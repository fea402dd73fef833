import { Arena } from "../../../ffi/libc/arena.ts";
import { Libc } from "../../../ffi/libc/libc.ts";
import { inNamespace } from "../../../ffi/testing.ts";
import { ReceiveBatch } from "../../../ffi/udp/receive_batch.ts";
import { SendBatch } from "../../../ffi/udp/send_batch.ts";
import { AddressSlot } from "../../../ffi/udp/socket_address.ts";
import { UdpSocket } from "../../../ffi/udp/udp_socket.ts";

const size = 1_200;
const batch = 32;
/** What is still under way is waited for so long: longer than any repair takes. */
const lingerMs = 700;

/** Numbered datagrams from one namespace to another, at an even pace. */
export class DatagramFlow implements Disposable {
  readonly #stack = new DisposableStack();
  readonly #arena: Arena;
  readonly #from: UdpSocket;
  readonly #to: UdpSocket;
  readonly #address: AddressSlot;
  readonly #sent: SendBatch;
  readonly #received: ReceiveBatch;
  readonly #sendAt: number;
  readonly #receiveAt: number;
  #next = 0;

  constructor(from: string, to: string) {
    using stack = new DisposableStack();
    const libc = stack.use(Libc.open());
    const arena = this.#arena = stack.use(new Arena(libc, 1 << 20));
    const bind = () =>
      UdpSocket.bind(libc, { address: "0.0.0.0", port: 0, gro: false, pathMtu: "fragment" });
    this.#from = stack.use(inNamespace(libc, from, bind));
    this.#to = stack.use(inNamespace(libc, to, bind));
    this.#address = new AddressSlot(arena, "ipv4");
    this.#sent = new SendBatch(libc, arena, batch);
    this.#received = new ReceiveBatch(libc, arena, "ipv4", batch);
    this.#sendAt = arena.allocate(batch * size);
    this.#receiveAt = arena.allocate(batch * size);
    for (let i = 0; i < batch; i++) this.#received.set(i, this.#receiveAt + i * size, size);
    this.#stack = stack.move();
  }

  /** Sends so many a second for a while. @returns the share that did not arrive */
  async run(address: string, perSecond: number, ms: number): Promise<number> {
    this.#address.set({ address, port: this.#to.address.port });
    const first = this.#next;
    const seen = new Uint8Array(Math.ceil(perSecond * ms / 1_000));
    const take = () => this.#take(first, seen);
    const began = performance.now();
    for (let done = 0; done < seen.length;) {
      const elapsed = performance.now() - began;
      const due = Math.min(seen.length, Math.ceil(elapsed * perSecond / 1_000));
      if (due > done) this.#send(due - done);
      done = due;
      take();
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    for (let left = lingerMs; left > 0; left -= 10) {
      await new Promise((resolve) => setTimeout(resolve, 10));
      take();
    }
    return seen.reduce((missing, one) => missing + (one === 0 ? 1 : 0), 0) / seen.length;
  }

  #send(count: number): void {
    for (let left = count; left > 0;) {
      const some = Math.min(batch, left);
      for (let i = 0; i < some; i++) {
        const at = this.#sendAt + i * size;
        this.#arena.view.setUint32(at, this.#next++);
        this.#sent.set(i, this.#address, at, size);
      }
      const sent = this.#sent.send(this.#from, 0, some);
      if (sent < 0) throw new Error(`sending datagrams failed: errno ${-sent}`);
      this.#next -= some - sent;
      left -= sent;
    }
  }

  #take(first: number, seen: Uint8Array): void {
    for (;;) {
      const count = this.#received.receive(this.#to, batch);
      if (count < 0) return;
      for (let i = 0; i < count; i++) {
        const number = this.#arena.view.getUint32(this.#receiveAt + i * size) - first;
        if (number >= 0 && number < seen.length) seen[number] = 1;
      }
    }
  }

  [Symbol.dispose](): void {
    this.#stack[Symbol.dispose]();
  }
}

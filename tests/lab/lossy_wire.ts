import { Arena } from "../../ffi/libc/arena.ts";
import { EventFd } from "../../ffi/libc/event_fd.ts";
import { Libc } from "../../ffi/libc/libc.ts";
import { Poller, Ready } from "../../ffi/libc/poller.ts";
import { inNamespace } from "../../ffi/testing.ts";
import { ReceiveBatch } from "../../ffi/udp/receive_batch.ts";
import { SendBatch } from "../../ffi/udp/send_batch.ts";
import { AddressSlot, type SocketAddress } from "../../ffi/udp/socket_address.ts";
import { UdpSocket } from "../../ffi/udp/udp_socket.ts";
import type { LossModel } from "./loss_model.ts";

/** Bytes under way in one direction: what a gigabit a second sends in 0.1 s. */
const ringBytes = 16 << 20;
const largestMessage = 65_536;
/** Messages under way in one direction. */
const mostMessages = 16_384;
/** Messages taken before the other direction has its turn. */
const turn = 64;

/** What is under way to somebody. */
interface Parcel {
  readonly at: number;
  readonly length: number;
  readonly segment: number;
  readonly tos: number;
  readonly dueAt: number;
}

/** From one end of the wire to the other. */
export class WireDirection {
  /** Milliseconds each datagram takes. */
  delayMs = 0;
  /** Which datagrams vanish. @default {undefined} none */
  loss: LossModel | undefined;
  /** Sees every datagram that comes, before its fate is known. */
  inspect: ((bytes: Uint8Array, at: number, length: number) => void) | undefined;
  /** Datagrams that the model has taken, and those that the wire had no room for. */
  lost = 0;
  overflown = 0;
  readonly #arena: Arena;
  readonly #from: UdpSocket;
  readonly #to: UdpSocket;
  readonly #address: AddressSlot;
  readonly #received: ReceiveBatch;
  readonly #sent: SendBatch;
  readonly #ring: number;
  /** For what there is no room for. */
  readonly #scratch: number;
  #used = 0;
  readonly #waiting: Parcel[] = [];
  #first = 0;

  constructor(libc: Libc, arena: Arena, from: UdpSocket, to: UdpSocket) {
    this.#arena = arena;
    this.#from = from;
    this.#to = to;
    this.#address = new AddressSlot(arena, to.family);
    this.#received = new ReceiveBatch(libc, arena, from.family, 1);
    this.#sent = new SendBatch(libc, arena, 1);
    this.#ring = arena.allocate(ringBytes);
    this.#scratch = arena.allocate(largestMessage);
  }

  /** Where it leads to. */
  set target(address: SocketAddress) {
    this.#address.set(address);
  }

  /** When the next message leaves. */
  get dueAt(): number {
    return this.#waiting[this.#first]?.dueAt ?? Infinity;
  }

  /** Takes what has come. */
  take(now: number): void {
    for (let i = 0; i < turn; i++) {
      if (this.#used + largestMessage > ringBytes) this.#used = 0;
      const at = this.#hasRoom ? this.#ring + this.#used : this.#scratch;
      this.#received.set(0, at, largestMessage);
      if (this.#received.receive(this.#from, 1) < 0) return;
      const length = this.#received.length(0);
      const segment = this.#received.segment(0) || length;
      const left = this.#thin(at, length, segment);
      if (left === 0) continue;
      if (at === this.#scratch) {
        this.overflown += Math.ceil(left / segment);
        continue;
      }
      this.#used += Math.ceil(left / 64) * 64;
      const dueAt = now + this.delayMs;
      this.#waiting.push({ at, length: left, segment, tos: this.#received.tos(0), dueAt });
    }
  }

  /** Sends what is due. */
  send(now: number): void {
    while (this.dueAt <= now) {
      const { at, length, segment, tos } = this.#waiting[this.#first++]!;
      this.#sent.set(0, this.#address, at, length, segment, tos);
      if (this.#sent.send(this.#to, 0, 1) < 0) this.overflown += Math.ceil(length / segment);
    }
    if (this.#first < 1_024 && this.#first < this.#waiting.length) return;
    this.#waiting.splice(0, this.#first);
    this.#first = 0;
  }

  /** Takes out what is lost of a message's datagrams, of which only the last may be shorter. @returns bytes that are left */
  #thin(at: number, length: number, segment: number): number {
    const { bytes } = this.#arena;
    let left = 0;
    for (let offset = 0; offset < length; offset += segment) {
      const size = Math.min(segment, length - offset);
      this.inspect?.(bytes, at + offset, size);
      if (this.loss?.next() === true) {
        this.lost++;
        continue;
      }
      if (left < offset) bytes.copyWithin(at + left, at + offset, at + offset + size);
      left += size;
    }
    return left;
  }

  /** Whether a message may be received next to the last one: nothing that is under way lies there. */
  get #hasRoom(): boolean {
    const oldest = this.#waiting[this.#first];
    if (oldest === undefined) return true;
    if (this.#waiting.length - this.#first >= mostMessages) return false;
    const begin = oldest.at - this.#ring;
    return this.#used + largestMessage <= begin || this.#used > begin;
  }
}

/**
 * A wire for UDP in a namespace between two others: what comes to its first port from one end leaves from the second to the other
 * end, and the other way round, after a delay, or never. Trains stay trains; which of their datagrams is lost a model says.
 */
export class LossyWire implements AsyncDisposable {
  /** What each end sends to. */
  readonly ports: readonly [number, number];
  readonly there: WireDirection;
  readonly back: WireDirection;
  readonly #owned: DisposableStack;
  readonly #poller: Poller;
  readonly #wake: EventFd;
  readonly #running: Promise<void>;
  #stopped = false;

  /** @param namespace where its sockets are */
  constructor(namespace: string) {
    using stack = new DisposableStack();
    const libc = stack.use(Libc.open());
    const arena = stack.use(new Arena(libc, 2 * ringBytes + (1 << 20)));
    const bind = () => UdpSocket.bind(libc, { address: "0.0.0.0", port: 0 });
    const [first, second] = inNamespace(libc, namespace, () => [bind(), bind()] as const);
    stack.use(first);
    stack.use(second);
    this.ports = [first.address.port, second.address.port];
    this.there = new WireDirection(libc, arena, first, second);
    this.back = new WireDirection(libc, arena, second, first);
    this.#wake = stack.use(new EventFd(libc, arena));
    this.#poller = new Poller(libc, arena, 3);
    for (const [slot, { fd }] of [first, second, this.#wake].entries()) {
      this.#poller.set(slot, fd, Ready.read);
    }
    this.#owned = stack.move();
    this.#running = this.#run();
  }

  /** Says where its two ends are. */
  plug(first: SocketAddress, second: SocketAddress): void {
    this.back.target = first;
    this.there.target = second;
  }

  async #run(): Promise<void> {
    const both = [this.there, this.back];
    while (!this.#stopped) {
      const due = Math.min(...both.map(({ dueAt }) => dueAt)) - performance.now();
      await this.#poller.waitAsync(due === Infinity ? -1 : Math.max(0, Math.ceil(due)));
      const now = performance.now();
      for (const direction of both) {
        direction.take(now);
        direction.send(now);
      }
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#stopped) return;
    this.#stopped = true;
    this.#wake.signal();
    await this.#running;
    this.#owned[Symbol.dispose]();
  }
}

import type { Drops } from "./drops.ts";
import { FairQueue, type SendQueue } from "./fair_queue.ts";
import { answer, type LoopMemory, type WireAddress, type WirePort } from "./ports.ts";

/** Sends trains, or has them wait while the socket takes none. */
export class Outbox {
  readonly #wire: WirePort;
  readonly #queue: FairQueue;
  readonly #drops: Drops;
  readonly #send = (to: WireAddress, at: number, length: number, segment: number, tos: number) =>
    this.#wire.send(to, at, length, segment, tos);

  constructor(memory: LoopMemory, wire: WirePort, drops: Drops) {
    this.#wire = wire;
    this.#queue = new FairQueue(memory);
    this.#drops = drops;
  }

  /** Whether what is sent for this one now would go or wait: asked before it is sealed. */
  takes(owner: SendQueue): boolean {
    return this.#queue.waiting === 0 || this.#queue.takes(owner);
  }

  /** @returns false when its datagrams are too long for the interface or the path */
  send(
    owner: SendQueue,
    to: WireAddress,
    at: number,
    length: number,
    segment: number,
    tos: number,
  ): boolean {
    let sent = 0;
    // What waits goes first.
    if (this.#queue.waiting === 0) {
      sent = this.#wire.send(to, at, length, segment, tos);
      if (sent >= length) return true;
      if (sent < 0 && sent !== answer.again) {
        // A train of datagrams that are too long is an invalid one to some kernels.
        if (sent === answer.tooLong || sent === answer.invalid) return false;
        this.#drops.add("noPath");
        return true;
      }
      if (sent < 0) sent = 0;
    }
    if (!this.#queue.push(owner, to, at + sent, length - sent, segment, tos)) {
      this.#drops.add("queueFull");
    }
    return true;
  }

  /** Sends one datagram now or never. @returns false when it is too long */
  sendAlone(to: WireAddress, at: number, length: number): boolean {
    const sent = this.#wire.send(to, at, length, length, 0);
    return sent !== answer.tooLong && sent !== answer.invalid;
  }

  /** The socket may take something again. */
  drain(): void {
    if (this.#queue.waiting > 0) this.#queue.drain(this.#send);
  }

  forget(address: WireAddress): void {
    this.#queue.forget(address);
    this.#wire.release(address);
  }
}

import { queuedTrains, queuedTrainsOfPeer, trainBytes } from "./limits.ts";
import { answer, type LoopMemory, type WireAddress } from "./ports.ts";

/** What waits for the socket on behalf of one peer, or of one path of others. */
export class SendQueue {
  readonly trains: number[] = [];
}

interface Waiting {
  readonly at: number;
  to: WireAddress | null;
  length: number;
  segment: number;
  tos: number;
}

/**
 * Trains that the socket did not take. When it does again every peer has its turn with one of them, so that one with much to send
 * makes another wait for one train at most.
 */
export class FairQueue {
  readonly #memory: LoopMemory;
  readonly #slots: readonly Waiting[];
  readonly #free: number[];
  /** Those with something to send; the first one's turn is next. */
  readonly #active: SendQueue[] = [];

  constructor(memory: LoopMemory) {
    this.#memory = memory;
    this.#slots = Array.from({ length: queuedTrains }, () => ({
      at: memory.allocate(trainBytes),
      to: null,
      length: 0,
      segment: 0,
      tos: 0,
    }));
    this.#free = this.#slots.map((_, i) => i);
  }

  /** Trains waiting. */
  get waiting(): number {
    return queuedTrains - this.#free.length;
  }

  /** Whether there is room for one more. */
  takes(owner: SendQueue): boolean {
    return this.#free.length > 0 && owner.trains.length < queuedTrainsOfPeer;
  }

  /** Copies a train. False: there is no room for it. */
  push(
    owner: SendQueue,
    to: WireAddress,
    at: number,
    length: number,
    segment: number,
    tos: number,
  ): boolean {
    if (!this.takes(owner)) return false;
    const index = this.#free.pop()!;
    const slot = this.#slots[index]!;
    this.#memory.bytes.copyWithin(slot.at, at, at + length);
    slot.to = to;
    slot.length = length;
    slot.segment = segment;
    slot.tos = tos;
    if (owner.trains.length === 0) this.#active.push(owner);
    owner.trains.push(index);
    return true;
  }

  /**
   * Sends what the socket takes.
   * @param send gives bytes sent or -errno; what fails otherwise than with EAGAIN is done with
   */
  drain(
    send: (to: WireAddress, at: number, length: number, segment: number, tos: number) => number,
  ): void {
    while (this.#active.length > 0) {
      const owner = this.#active[0]!;
      const index = owner.trains[0]!;
      const slot = this.#slots[index]!;
      const { to, at, length, segment, tos } = slot;
      const sent = to === null ? length : send(to, at, length, segment, tos);
      if (sent === answer.again) return;
      if (sent >= 0 && sent < length) {
        this.#memory.bytes.copyWithin(at, at + sent, at + length);
        slot.length = length - sent;
        return;
      }
      slot.to = null;
      owner.trains.shift();
      this.#free.push(index);
      this.#active.shift();
      if (owner.trains.length > 0) this.#active.push(owner);
    }
  }

  /** What waits for an address that is given back is not sent to whoever gets it next. */
  forget(address: WireAddress): void {
    for (const slot of this.#slots) if (slot.to === address) slot.to = null;
  }
}

import type { LoopMemory } from "./ports.ts";
import type { Drops } from "./drops.ts";
import type { Outbox } from "./outbox.ts";
import type { Peer } from "./peer.ts";
import type { LoopEvent } from "./types.ts";
import type { Way } from "./way.ts";

/** Puts sealed trains on their way: on the wire, or to the session of a neighbour. */
export class Dispatch {
  readonly #memory: LoopMemory;
  readonly #outbox: Outbox;
  readonly #drops: Drops;
  readonly #say: (event: LoopEvent) => void;

  constructor(
    memory: LoopMemory,
    outbox: Outbox,
    drops: Drops,
    say: (event: LoopEvent) => void,
  ) {
    this.#memory = memory;
    this.#outbox = outbox;
    this.#drops = drops;
    this.#say = say;
  }

  /** Whether a train for this peer would go, or wait. */
  takes(peer: Peer, way: Way): boolean {
    return way.address === null || this.#outbox.takes(peer.queue);
  }

  /** Sends a train of packets. */
  send(peer: Peer, way: Way, at: number, length: number, segment: number, tos: number): void {
    const { address } = way;
    if (address === null) {
      for (let offset = 0; offset < length; offset += segment) {
        this.#hand(way, at + offset, Math.min(segment, length - offset));
      }
      return;
    }
    way.used = true;
    if (!this.#outbox.send(peer.queue, address, at, length, segment, tos)) {
      this.#drops.add("tooBig");
      way.refused = Math.min(segment, length);
    }
  }

  /** Sends a segment that may be lost as well. @returns false when it is too long for the interface */
  sendControl(way: Way, at: number, length: number): boolean {
    if (way.address !== null) return this.#outbox.sendAlone(way.address, at, length);
    this.#hand(way, at, length);
    return true;
  }

  #hand({ via }: Way, at: number, length: number): void {
    this.#say({ say: "segment", to: via, bytes: this.#memory.bytes.slice(at, at + length) });
  }
}

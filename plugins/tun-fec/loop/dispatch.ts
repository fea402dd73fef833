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

  send(peer: Peer, way: Way, at: number, length: number, segment: number, tos: number): void {
    const { address } = way;
    if (address === null) {
      for (let offset = 0; offset < length; offset += segment) {
        const end = Math.min(offset + segment, length);
        const bytes = this.#memory.bytes.slice(at + offset, at + end);
        this.#say({ say: "segment", to: way.via, bytes });
      }
      return;
    }
    if (!this.#outbox.send(peer.queue, address, at, length, segment, tos)) {
      this.#drops.add("tooBig");
    }
  }
}

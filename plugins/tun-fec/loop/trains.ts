import type { Dispatch } from "./dispatch.ts";
import { openTrains, trainBytes, trainSegments } from "./limits.ts";
import type { LoopMemory } from "./ports.ts";
import type { Peer } from "./peer.ts";
import type { Way } from "./way.ts";

/** Segments of small packets, back to back, that are to leave in one send. */
export interface Train {
  readonly at: number;
  peer: Peer | undefined;
  way: Way | undefined;
  tos: number;
  length: number;
  /** Bytes of each; the last one may be shorter. */
  segment: number;
  count: number;
}

/** The trains that are filled in a turn: one for each way that has something to send. */
export class Trains {
  readonly #dispatch: Dispatch;
  readonly #free: Train[];
  /** The oldest first. */
  readonly #open: Train[] = [];

  constructor(memory: LoopMemory, dispatch: Dispatch) {
    this.#dispatch = dispatch;
    this.#free = Array.from({ length: openTrains }, () => ({
      at: memory.allocate(trainBytes),
      peer: undefined,
      way: undefined,
      tos: 0,
      length: 0,
      segment: 0,
      count: 0,
    }));
  }

  /** The train that a segment of so many bytes goes into, at its end. */
  place(peer: Peer, way: Way, bytes: number, tos: number): Train {
    const train = way.train;
    if (train !== undefined) {
      const fits = train.tos === tos && bytes <= train.segment && train.count < trainSegments &&
        train.length + bytes <= trainBytes;
      if (fits) return train;
      this.#send(train);
    }
    if (this.#free.length === 0) this.#send(this.#open[0]!);
    const fresh = this.#free.pop()!;
    fresh.peer = peer;
    fresh.way = way;
    fresh.tos = tos;
    fresh.segment = bytes;
    way.train = fresh;
    this.#open.push(fresh);
    return fresh;
  }

  /** A segment has been sealed at the end of a train. */
  added(train: Train, bytes: number): void {
    train.length += bytes;
    train.count++;
    if (bytes < train.segment) this.#send(train);
  }

  /** What was gathered for a way is sent, so that what follows comes behind it. */
  flush({ train }: Way): void {
    if (train !== undefined) this.#send(train);
  }

  flushAll(): void {
    while (this.#open.length > 0) this.#send(this.#open[0]!);
  }

  #send(train: Train): void {
    const { at, peer, way, tos, length, segment } = train;
    const index = this.#open.indexOf(train);
    if (index >= 0) this.#open.splice(index, 1);
    train.peer = train.way = undefined;
    train.length = train.count = 0;
    this.#free.push(train);
    way!.train = undefined;
    this.#dispatch.send(peer!, way!, at, length, segment, tos);
  }
}

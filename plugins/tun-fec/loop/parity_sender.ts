import { FecEncoder, type FecScheme } from "../fec/encoder.ts";
import { FecPolicy, type LossMeasure } from "../fec/adapt.ts";
import { words } from "../fec/parity.ts";
import type { Dispatch } from "./dispatch.ts";
import { parityForgotten, parityPatience, trainBytes, trainSegments } from "./limits.ts";
import type { Peer } from "./peer.ts";
import type { LoopMemory } from "./ports.ts";
import type { SealKey } from "./seal_key.ts";
import type { Way } from "./way.ts";

/** What parity adds to the longest segment it covers, in whole words. */
export const parityRoom = 8;
/** A group that is not full is closed with no more parity than a third of it. */
const leastOfGroup = 3;

/** Parity for one way, as its receiver's reports ask for it. */
export class WayParity {
  readonly policy = new FecPolicy();
  encoder: FecEncoder | undefined;
  /** What the open groups were sealed with: a group is of one key. */
  key: SealKey | undefined;
  /** When a segment was last added. */
  touched = 0;

  get active(): boolean {
    return this.encoder !== undefined;
  }
}

/** Makes parity of what is sealed, and sends it behind that. */
export class ParitySender {
  readonly #memory: LoopMemory;
  readonly #dispatch: Dispatch;
  readonly #sendFirst: (way: Way) => void;
  readonly #at: number;
  /** Ways with groups that are not full. */
  readonly #open = new Map<Way, Peer>();
  /** What is gathered for one send. */
  #way: Way | undefined;
  #peer: Peer | undefined;
  #length = 0;
  #segment = 0;
  #count = 0;
  #tos = 0;

  /** @param sendFirst sends what waits of a way: parity that comes before what it covers repairs what is not lost */
  constructor(memory: LoopMemory, dispatch: Dispatch, sendFirst: (way: Way) => void) {
    this.#memory = memory;
    this.#dispatch = dispatch;
    this.#sendFirst = sendFirst;
    this.#at = memory.allocate(trainBytes);
  }

  /** Groups wait for more, or for their time. */
  get waits(): boolean {
    return this.#open.size > 0;
  }

  /** A receiver's report on a way. @param inflated round trips grew, too */
  report(way: Way, measure: LossMeasure, segments: number, inflated: boolean): FecScheme {
    const { parity } = way;
    const scheme = parity.policy.report(measure, segments, inflated);
    if (scheme.group > 0) {
      parity.encoder ??= new FecEncoder(words(Math.max(way.size, smallestLargest)), way.number);
      parity.encoder.scheme = scheme;
    } else this.stop(way);
    return scheme;
  }

  /** Nothing more is protected on a way. */
  stop(way: Way): void {
    way.parity.encoder = way.parity.key = undefined;
    this.#open.delete(way);
  }

  /** Takes a sealed segment of a way that is protected. */
  add(
    peer: Peer,
    way: Way,
    key: SealKey,
    at: number,
    length: number,
    counter: number,
    tos: number,
    now: number,
  ): void {
    const { parity } = way;
    let { encoder } = parity;
    if (encoder === undefined) return;
    if (parity.key !== key || length > encoder.largest) {
      if (length > encoder.largest) {
        const { scheme } = encoder;
        encoder = parity.encoder = new FecEncoder(words(length), way.number);
        encoder.scheme = scheme;
      } else encoder.reset();
      parity.key = key;
    }
    parity.touched = now;
    const due = encoder.add(this.#memory.bytes, at, length, counter);
    if (due > 0) this.#take(peer, way, encoder, key, counter, due, tos);
    if (encoder.open === 0) this.#open.delete(way);
    else if (!this.#open.has(way)) this.#open.set(way, peer);
  }

  /** Sends what was gathered. */
  flush(): void {
    const [way, peer] = [this.#way, this.#peer];
    if (way === undefined || peer === undefined) return;
    const [length, segment] = [this.#length, this.#segment];
    this.#way = undefined;
    this.#length = this.#count = 0;
    this.#sendFirst(way);
    this.#dispatch.send(peer, way, this.#at, length, segment, this.#tos);
  }

  /** The interface has nothing more for now: groups that are half full are closed. */
  rest(): void {
    for (const [way, peer] of this.#open) {
      const { encoder } = way.parity;
      if (encoder !== undefined) this.#close(way, peer, encoder, encoder.scheme.group / 2);
    }
  }

  /** Closes groups that have waited long enough for more. */
  tick(now: number): void {
    for (const [way, peer] of this.#open) {
      const { encoder, key, touched } = way.parity;
      const gone = encoder === undefined || peer.sealing !== key || !peer.ways.includes(way);
      if (gone || now - touched >= parityForgotten) {
        encoder?.reset();
        this.#open.delete(way);
      } else if (now - touched >= parityPatience) {
        this.#close(way, peer, encoder, 0);
      }
    }
    this.flush();
  }

  /** @param wanted segments a group has to have, and never fewer than its parity is worth */
  #close(way: Way, peer: Peer, encoder: FecEncoder, wanted: number): void {
    const { key } = way.parity;
    if (key === undefined) return;
    const least = Math.max(wanted, encoder.rows * leastOfGroup);
    for (const counter of [...encoder.pending()]) {
      if (encoder.countOf(counter) < least) continue;
      this.#take(peer, way, encoder, key, counter, encoder.rows, 0);
    }
    if (encoder.open === 0) this.#open.delete(way);
  }

  #take(
    peer: Peer,
    way: Way,
    encoder: FecEncoder,
    key: SealKey,
    counter: number,
    rows: number,
    tos: number,
  ): void {
    for (let row = 0; row < rows; row++) {
      const room = encoder.largest + parityRoom;
      if (this.#length + room > trainBytes || this.#count === trainSegments) this.flush();
      if (this.#way !== way || this.#tos !== tos) this.flush();
      const at = this.#at + this.#length;
      const receiver = way.label || key.receiver;
      const length = encoder.take(counter, row, receiver, this.#memory.bytes, at);
      if (this.#count > 0 && length > this.#segment) {
        // It does not fit behind the others: they leave first.
        this.flush();
        this.#memory.bytes.copyWithin(this.#at, at, at + length);
      }
      if (this.#count === 0) {
        this.#way = way;
        this.#peer = peer;
        this.#segment = length;
        this.#tos = tos;
      }
      this.#length += length;
      this.#count++;
      if (length < this.#segment) this.flush();
    }
  }
}

/** An encoder is not made anew for each size a path turns out to have. */
const smallestLargest = 1_500;

import { FecEncoder } from "../fec/encoder.ts";
import { blocks } from "../fec/fec_buffer.ts";
import { FecPolicy, type FecReport, roundTime } from "../fec/fec_policy.ts";
import type { FecScheme } from "../fec/scheme.ts";
import type { Dispatch } from "./dispatch.ts";
import { parityForgotten, parityPatience, trainBytes, trainSegments } from "./limits.ts";
import type { Peer } from "./peer.ts";
import type { LoopMemory } from "./ports.ts";
import type { SealKey } from "./seal_key.ts";
import type { Way } from "./way.ts";

/** What parity adds to the longest segment it covers, in whole words. */
export const parityRoom = 8;

/** Parity for one way, as its receiver's reports ask for it. */
export class WayParity {
  readonly policy = new FecPolicy();
  encoder: FecEncoder | undefined;
  /** What the open round was sealed with: a round is of one key. */
  key: SealKey | undefined;
  /** When it was begun, and when a segment was last added. */
  begun = 0;
  touched = 0;
  /** When the last report came. */
  reported: number | undefined;

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
  /** Ways with rounds that are not full. */
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

  /** Rounds wait for more, or for their time. */
  get waits(): boolean {
    return this.#open.size > 0;
  }

  /** A receiver's report on a way. */
  report(way: Way, report: Omit<FecReport, "time">, now: number): FecScheme {
    const { parity } = way;
    const time = parity.reported === undefined ? undefined : now - parity.reported;
    parity.reported = now;
    const scheme = parity.policy.report({ ...report, time });
    const { encoder } = parity;
    if (scheme.group === 0) this.stop(way);
    else if (encoder === undefined) this.#start(way, Math.max(way.size, smallestLargest), scheme);
    else if (scheme !== encoder.scheme) {
      const peer = this.#open.get(way);
      if (peer !== undefined) this.#close(way, peer, encoder);
      this.#open.delete(way);
      encoder.scheme = scheme;
    }
    return scheme;
  }

  #start(way: Way, largest: number, scheme: FecScheme): FecEncoder {
    const encoder = new FecEncoder(blocks(largest), way.number);
    encoder.scheme = scheme;
    return way.parity.encoder = encoder;
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
    if (length > encoder.largest) encoder = this.#start(way, length, encoder.scheme);
    if (parity.key !== key) encoder.reset();
    parity.key = key;
    if (encoder.open === 0) parity.begun = now;
    parity.touched = now;
    const due = encoder.add(this.#memory.bytes, at, length, counter);
    if (due > 0) this.#take(peer, way, encoder, key, due, tos);
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

  /** Closes rounds that have waited long enough for more. */
  tick(now: number): void {
    for (const [way, peer] of this.#open) {
      const { encoder, key, begun, touched } = way.parity;
      const gone = encoder === undefined || peer.sealing !== key || !peer.ways.includes(way);
      if (gone || now - touched >= parityForgotten) {
        encoder?.reset();
        this.#open.delete(way);
        continue;
      }
      // Twice as long as between two of them so far.
      const pause = 2 * (touched - begun) / Math.max(1, encoder.open - 1);
      if (now - touched >= Math.max(parityPatience, pause) || now - begun >= roundTime) {
        this.#close(way, peer, encoder);
      }
    }
    this.flush();
  }

  #close(way: Way, peer: Peer, encoder: FecEncoder): void {
    const { key } = way.parity;
    const due = encoder.close();
    if (key === undefined || due === 0) return;
    this.#take(peer, way, encoder, key, due, 0);
    this.#open.delete(way);
  }

  #take(
    peer: Peer,
    way: Way,
    encoder: FecEncoder,
    key: SealKey,
    due: number,
    tos: number,
  ): void {
    for (let i = 0; i < due; i++) {
      const room = encoder.largest + parityRoom;
      if (this.#length + room > trainBytes || this.#count === trainSegments) this.flush();
      if (this.#way !== way || this.#tos !== tos) this.flush();
      const at = this.#at + this.#length;
      const receiver = way.label || key.receiver;
      const length = encoder.take(i, receiver, this.#memory.bytes, at);
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

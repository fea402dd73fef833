import { segmentHead, segmentKind, segmentOverhead, writeHead } from "../wire/segment.ts";
import { coefficient, maxDepth, maxRows, repairMatrix } from "./code.ts";
import { blocks, type FecBuffer, fecBuffer } from "./fec_buffer.ts";
import {
  coveredLength,
  coverSegment,
  type ParityHead,
  parityHead,
  readParityHead,
} from "./parity.ts";

/** Sealed segments remembered: three times what can be covered by groups that are open at once. */
export const keptSegments = 1024;
/** Parities that wait for what they need, as many as come at once; the oldest makes room. */
export const keptParities = maxDepth * maxRows;

interface Waiting {
  head: ParityHead | undefined;
  length: number;
}

/**
 * Repairs lost segments of one key. Every sealed segment is shown to it before it is opened (opening overwrites it), every parity
 * when it comes. A repaired segment is only a proposal: it has to open like any other.
 */
export class FecDecoder {
  /** Bytes of the largest segment it takes. */
  readonly largest: number;
  readonly #stride: number;
  /** Segments, parities, sums; a stride each. */
  readonly #buffer: FecBuffer;
  readonly #counters = new Float64Array(keptSegments).fill(-1);
  readonly #lengths = new Uint16Array(keptSegments);
  readonly #parityAt: number;
  readonly #waiting: Waiting[];
  readonly #workAt: number;
  readonly #result: Uint8Array;
  readonly #view: DataView;
  #nextWaiting = 0;

  constructor(largest: number, make = fecBuffer) {
    this.largest = largest;
    this.#stride = blocks(largest + 8);
    this.#parityAt = this.#stride * keptSegments;
    this.#workAt = this.#parityAt + this.#stride * keptParities;
    this.#buffer = make(this.#workAt + this.#stride * (maxRows + 1));
    this.#waiting = Array.from({ length: keptParities }, () => ({ head: undefined, length: 0 }));
    this.#result = new Uint8Array(largest + segmentHead);
    this.#view = new DataView(this.#result.buffer);
  }

  /** Remembers a sealed segment. Nothing is believed of it: a forged one can only spoil the repair of its own group. */
  add(segment: Uint8Array, at: number, length: number, counter: number): void {
    if (length + 8 > this.#stride) return;
    const slot = counter % keptSegments;
    this.#counters[slot] = counter;
    const to = slot * this.#stride;
    this.#lengths[slot] = coverSegment(segment, at, length, this.#buffer.bytes, to);
  }

  /**
   * Takes a parity segment and proposes what can be repaired with it and those that wait.
   * @param propose called with each repaired segment; the bytes are good until it returns
   * @returns segments proposed
   */
  addParity(
    segment: Uint8Array,
    at: number,
    length: number,
    propose: (segment: Uint8Array, length: number, counter: number) => void,
  ): number {
    const view = new DataView(segment.buffer, segment.byteOffset);
    const head = readParityHead(view, at, length);
    const covered = length - parityHead;
    if (head === undefined || covered > this.#stride) return 0;
    const lost = this.#lost(head);
    if (lost.length === 0 || lost.length > head.rows) return 0;
    const slot = this.#nextWaiting;
    this.#nextWaiting = (slot + 1) % keptParities;
    this.#waiting[slot]!.head = head;
    this.#waiting[slot]!.length = covered;
    const to = this.#parityAt + slot * this.#stride;
    this.#buffer.bytes.fill(0, to, to + this.#stride);
    this.#buffer.bytes.set(segment.subarray(at + parityHead, at + length), to);
    const siblings = this.#siblings(head, lost.length);
    if (siblings.length < lost.length) return 0;
    return this.#repair(head, lost, siblings, propose);
  }

  /** Places in the group whose segments are not here. */
  #lost({ first, stride, count }: ParityHead): number[] {
    const lost: number[] = [];
    for (let i = 0; i < count; i++) {
      const counter = first + i * stride;
      if (this.#counters[counter % keptSegments] !== counter) lost.push(i);
    }
    return lost;
  }

  /** Slots of parities of the same group, different rows, as many as are needed. */
  #siblings(head: ParityHead, needed: number): number[] {
    const slots: number[] = [];
    const rows = new Set<number>();
    for (let slot = 0; slot < keptParities; slot++) {
      const { head: other } = this.#waiting[slot]!;
      const same = other !== undefined && other.first === head.first &&
        other.stride === head.stride && other.count === head.count && !rows.has(other.row);
      if (!same) continue;
      rows.add(other.row);
      slots.push(slot);
      if (slots.length === needed) break;
    }
    return slots;
  }

  #repair(
    head: ParityHead,
    lost: readonly number[],
    slots: readonly number[],
    propose: (segment: Uint8Array, length: number, counter: number) => void,
  ): number {
    const stride = this.#stride;
    const buffer = this.#buffer;
    const work = this.#workAt;
    const rows = slots.map((slot) => this.#waiting[slot]!.head!.row);
    const matrix = repairMatrix(rows, lost);
    if (matrix === undefined) return 0;
    // What each parity says of the lost ones alone: itself without those that are here.
    for (const [n, slot] of slots.entries()) {
      const [from, at] = [this.#parityAt + slot * stride, work + n * stride];
      buffer.bytes.copyWithin(at, from, from + stride);
      for (let i = 0; i < head.count; i++) {
        if (lost.includes(i)) continue;
        const kept = (head.first + i * head.stride) % keptSegments;
        const length = blocks(this.#lengths[kept]!);
        buffer.addScaled(at, kept * stride, length, coefficient(rows[n]!, i));
      }
      this.#waiting[slot]!.head = undefined;
    }
    let proposed = 0;
    const sum = work + slots.length * stride;
    for (const [n, place] of lost.entries()) {
      buffer.bytes.fill(0, sum, sum + stride);
      for (let k = 0; k < slots.length; k++) {
        const factor = matrix[n * slots.length + k]!;
        if (factor !== 0) buffer.addScaled(sum, work + k * stride, stride, factor);
      }
      const counter = head.first + place * head.stride;
      const length = this.#write(sum, head.receiver, counter);
      if (length === 0) continue;
      propose(this.#result, length, counter);
      proposed++;
    }
    return proposed;
  }

  /** The segment as it was sealed, its head made anew. 0: what was summed up is no segment. */
  #write(from: number, receiver: number, counter: number): number {
    const { bytes } = this.#buffer;
    const length = bytes[from]! << 8 | bytes[from + 1]!;
    if (length < segmentOverhead || coveredLength(length) > this.#stride) return 0;
    const fragment = new DataView(bytes.buffer, bytes.byteOffset).getUint32(from + 2);
    writeHead(this.#view, 0, segmentKind.data, receiver, fragment, counter);
    this.#result.set(bytes.subarray(from + 6, from + 6 + length - segmentHead), segmentHead);
    return length;
  }
}

import { coefficient, maxGroup, maxRows } from "./code.ts";
import { addScaled, type FecBuffer, fecBuffer } from "./gf256.ts";
import { coverSegment, parityHead, words, writeParityHead } from "./parity.ts";

/** How segments are protected. */
export interface FecScheme {
  /** Segments in a group; 0 switches protection off. */
  readonly group: number;
  /** Parity segments for each group. */
  readonly rows: number;
  /** Groups that are open at once, so that a burst of so many losses costs each of them one. */
  readonly depth: number;
}

export const noFec: FecScheme = { group: 0, rows: 0, depth: 1 };
export const maxDepth = 16;

interface Group {
  readonly parity: FecBuffer;
  first: number;
  count: number;
  longest: number;
}

/**
 * Makes parity over the sealed segments of one key. Segments are taken in the order of their counters, one after the other; the
 * one with counter `c` belongs to group `c mod depth`.
 */
export class FecEncoder {
  /** Bytes of the largest segment it takes. */
  readonly largest: number;
  readonly #way: number;
  readonly #stride: number;
  readonly #groups: Group[];
  readonly #covered: FecBuffer;
  #scheme: FecScheme = noFec;
  /** Takes over when the open groups are done. */
  #next: FecScheme | undefined;
  #open = 0;

  /** @param way whose segments they are */
  constructor(largest: number, way = 0) {
    this.largest = largest;
    this.#way = way;
    this.#stride = words(largest + 8);
    this.#covered = fecBuffer(this.#stride);
    this.#groups = Array.from({ length: maxDepth }, () => ({
      parity: fecBuffer(this.#stride * maxRows),
      first: -1,
      count: 0,
      longest: 0,
    }));
  }

  get scheme(): FecScheme {
    return this.#next ?? this.#scheme;
  }

  /** @throws {RangeError} a scheme beyond the bounds */
  set scheme(scheme: FecScheme) {
    const { group, rows, depth } = scheme;
    if (
      group < 0 || group > maxGroup || rows < 0 || rows > maxRows || depth < 1 || depth > maxDepth
    ) {
      throw new RangeError(`no FEC scheme: ${group}+${rows}, depth ${depth}`);
    }
    if (this.#open === 0) this.#scheme = scheme;
    else this.#next = scheme;
  }

  /** Groups that wait for more segments. */
  get open(): number {
    return this.#open;
  }

  /**
   * Takes a sealed segment. @returns parity segments now due: `take()` gives each
   */
  add(segment: Uint8Array, at: number, length: number, counter: number): number {
    const { group, rows, depth } = this.#scheme;
    if (group === 0) return 0;
    const slot = this.#groups[counter % depth]!;
    if (slot.count === 0) {
      // The open groups are brought to their end first; what comes in between goes unprotected.
      if (this.#next !== undefined) return 0;
      this.#begin(slot, counter);
    }
    const covered = coverSegment(segment, at, length, this.#covered.bytes, 0);
    const size = words(covered);
    for (let row = 0; row < rows; row++) {
      const factor = coefficient(row, slot.count);
      addScaled(slot.parity, row * this.#stride, this.#covered, 0, size, factor);
    }
    slot.longest = Math.max(slot.longest, covered);
    slot.count++;
    return slot.count === group ? rows : 0;
  }

  /** Writes parity `row` of the group that `counter` belongs to. @returns its length in bytes */
  take(counter: number, row: number, receiver: number, to: Uint8Array, at: number): number {
    const { depth, rows } = this.#scheme;
    const slot = this.#groups[counter % depth]!;
    const view = new DataView(to.buffer, to.byteOffset);
    const { first, count } = slot;
    const way = this.#way;
    writeParityHead(view, at, { receiver, way, first, stride: depth, count, row, rows });
    const from = row * this.#stride;
    to.set(slot.parity.bytes.subarray(from, from + slot.longest), at + parityHead);
    if (row === rows - 1) this.#end(slot);
    return parityHead + slot.longest;
  }

  /** Parity segments of each open group. */
  get rows(): number {
    return this.#scheme.rows;
  }

  /** Segments in the group that a counter belongs to. */
  countOf(counter: number): number {
    return this.#groups[counter % this.#scheme.depth]!.count;
  }

  /** Counters of groups that wait and are not empty: when the flow pauses they are closed with what they have. */
  *pending(): Generator<number> {
    for (const slot of this.#groups) if (slot.count > 0) yield slot.first;
  }

  /** Forgets what is open: its segments go unprotected. */
  reset(): void {
    for (const slot of this.#groups) if (slot.count > 0) this.#end(slot);
  }

  #begin(slot: Group, counter: number): void {
    slot.first = counter;
    slot.longest = 0;
    slot.parity.bytes.fill(0, 0, this.#stride * Math.max(1, this.#scheme.rows));
    this.#open++;
  }

  #end(slot: Group): void {
    slot.count = 0;
    this.#open--;
    if (this.#open === 0 && this.#next !== undefined) {
      this.#scheme = this.#next;
      this.#next = undefined;
    }
  }
}

import { coefficient, maxDepth, maxGroup, maxRows, maxSpan } from "./code.ts";
import { blocks, type FecBuffer, fecBuffer } from "./fec_buffer.ts";
import { coverSegment, parityHead, writeParityHead } from "./parity.ts";
import { type FecScheme, noFec, overheadCap } from "./scheme.ts";

/**
 * Makes parity over the sealed segments of one key. Segments are taken in the order of their counters, one after the other, in
 * rounds: segment `n` of a round belongs to its group `n mod depth`. When a round is full, or closed, the parity of all its groups
 * is due, row by row: a burst that hits parity is shared out among the groups as one that hits segments is.
 */
export class FecEncoder {
  /** Bytes of the largest segment it takes. */
  readonly largest: number;
  readonly #way: number;
  readonly #cap: number;
  readonly #stride: number;
  /** What is covered of a segment, then the rows of each group; a stride each. */
  readonly #buffer: FecBuffer;
  /** Longest that each group covers. */
  readonly #longest = new Uint32Array(maxDepth);
  #scheme: FecScheme = noFec;
  /** Of the round: its first counter, segments so far, and their bytes. */
  #first = 0;
  #count = 0;
  #bytes = 0;
  /** Rows that are due. */
  #due = 0;

  /**
   * @param way whose segments they are
   * @param cap bytes of parity for each byte it covers, at most
   */
  constructor(largest: number, way = 0, cap = overheadCap, make = fecBuffer) {
    this.largest = largest;
    this.#way = way;
    this.#cap = cap;
    this.#stride = blocks(largest + 8);
    this.#buffer = make(this.#stride * (1 + maxDepth * maxRows));
  }

  get scheme(): FecScheme {
    return this.#scheme;
  }

  /** What is open is forgotten: close it first. @throws {RangeError} a scheme beyond the bounds */
  set scheme(scheme: FecScheme) {
    const { group, rows, depth } = scheme;
    const sound = group >= 0 && group <= maxGroup && rows >= 0 && rows <= maxRows && depth >= 1 &&
      depth <= maxDepth && group * depth <= maxSpan;
    if (!sound) throw new RangeError(`no FEC scheme: ${group}+${rows}, depth ${depth}`);
    this.reset();
    this.#scheme = scheme;
  }

  /** Segments in the round. */
  get open(): number {
    return this.#count;
  }

  /** Takes a sealed segment. @returns parity segments now due: `take()` gives each */
  add(segment: Uint8Array, at: number, length: number, counter: number): number {
    const { group, rows, depth } = this.#scheme;
    if (group === 0) return 0;
    if (counter !== this.#first + this.#count) this.reset();
    if (this.#count === 0) this.#begin(counter);
    const buffer = this.#buffer;
    const slot = this.#count % depth;
    const place = Math.floor(this.#count / depth);
    const covered = coverSegment(segment, at, length, buffer.bytes, 0);
    const size = blocks(covered);
    for (let row = 0; row < rows; row++) {
      buffer.addScaled(this.#rowAt(slot, row), 0, size, coefficient(row, place));
    }
    if (covered > this.#longest[slot]!) this.#longest[slot] = covered;
    this.#bytes += length;
    this.#count++;
    if (this.#count < group * depth) return 0;
    const due = this.close();
    if (due === 0) this.reset();
    return due;
  }

  /**
   * Ends the round as it is. Groups that are not full get fewer rows, and none more than the cap allows.
   * @returns parity segments now due; 0: it is not worth any yet, and goes on
   */
  close(): number {
    const { group, rows, depth } = this.#scheme;
    if (this.#count === 0) return 0;
    const groups = Math.min(depth, this.#count);
    let row = 0;
    for (let slot = 0; slot < groups; slot++) row += parityHead + this.#longest[slot]!;
    const allowed = Math.floor(this.#bytes * this.#cap / row);
    // The spread of what is lost of n is as sqrt(n).
    const full = Math.ceil(this.#count / depth) / group;
    this.#due = Math.min(allowed, Math.ceil(rows * Math.sqrt(full)));
    return groups * this.#due;
  }

  /** Writes one of the parity segments that are due, the last one last. @returns its length in bytes */
  take(index: number, receiver: number, to: Uint8Array, at: number): number {
    const { depth } = this.#scheme;
    const groups = Math.min(depth, this.#count);
    const slot = index % groups;
    const row = Math.floor(index / groups);
    const count = Math.ceil((this.#count - slot) / depth);
    const [first, way, rows] = [this.#first + slot, this.#way, this.#due];
    const view = new DataView(to.buffer, to.byteOffset);
    writeParityHead(view, at, { receiver, way, first, stride: depth, count, row, rows });
    const from = this.#rowAt(slot, row);
    const length = this.#longest[slot]!;
    to.set(this.#buffer.bytes.subarray(from, from + length), at + parityHead);
    if (index === groups * rows - 1) this.reset();
    return parityHead + length;
  }

  /** Forgets the round: its segments go unprotected. */
  reset(): void {
    this.#count = this.#due = 0;
  }

  #begin(counter: number): void {
    const { rows, depth } = this.#scheme;
    this.#first = counter;
    this.#bytes = 0;
    this.#longest.fill(0);
    for (let slot = 0; slot < depth; slot++) {
      const at = this.#rowAt(slot, 0);
      this.#buffer.bytes.fill(0, at, at + rows * this.#stride);
    }
  }

  #rowAt(slot: number, row: number): number {
    return (1 + slot * maxRows + row) * this.#stride;
  }
}

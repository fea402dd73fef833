import { coefficient, maxDepth, maxGroup, maxRows, maxSpan } from "./code.ts";
import { blocks, type FecBuffer, fecBuffer } from "./fec_buffer.ts";
import { coverSegment, parityHead, writeParityHead } from "./parity.ts";
import { type FecScheme, noFec, overheadCap } from "./scheme.ts";

/**
 * Makes parity over the sealed segments of one key. Segments are taken in the order of their counters, one after the other, in
 * rounds, and kept until the round is full or closed. Then it is cut into groups, segment `n` into group `n mod groups`, and the
 * parity of all of them is due, row by row: a burst that hits parity is shared out among the groups as one that hits segments is.
 */
export class FecEncoder {
  /** Bytes of the largest segment it takes. */
  readonly largest: number;
  readonly #way: number;
  readonly #cap: number;
  readonly #stride: number;
  /** What is covered of each segment of the round, and a sum; a stride each. */
  readonly #buffer: FecBuffer;
  readonly #covered = new Uint16Array(maxSpan);
  readonly #sumAt: number;
  #scheme: FecScheme = noFec;
  /** Of the round: its first counter, segments so far, and their bytes. */
  #first = 0;
  #count = 0;
  #bytes = 0;
  /** Groups and rows that are due. */
  #groups = 0;
  #rows = 0;

  /**
   * @param way whose segments they are
   * @param cap bytes of parity for each byte it covers, at most
   */
  constructor(largest: number, way = 0, cap = overheadCap, make = fecBuffer) {
    this.largest = largest;
    this.#way = way;
    this.#cap = cap;
    this.#stride = blocks(largest + 8);
    this.#sumAt = this.#stride * maxSpan;
    this.#buffer = make(this.#sumAt + this.#stride);
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
    const { group, depth } = this.#scheme;
    if (group === 0) return 0;
    if (counter !== this.#first + this.#count) this.reset();
    if (this.#count === 0) {
      this.#first = counter;
      this.#bytes = 0;
    }
    const n = this.#count++;
    this.#covered[n] = coverSegment(segment, at, length, this.#buffer.bytes, n * this.#stride);
    this.#bytes += length;
    if (this.#count < group * depth) return 0;
    const due = this.close();
    if (due === 0) this.reset();
    return due;
  }

  /**
   * Ends the round as it is. What does not fill it is cut into as few groups as it can be, because a large one repairs more with the
   * same parity; they get no more rows than the cap allows.
   *
   * @returns parity segments now due; 0: it is not worth any yet, and goes on
   */
  close(): number {
    const { group, rows, depth } = this.#scheme;
    if (this.#count === 0) return 0;
    const full = this.#count === group * depth;
    this.#groups = full ? depth : Math.ceil(this.#count / maxGroup);
    let row = 0;
    for (let slot = 0; slot < this.#groups; slot++) row += parityHead + this.#longest(slot);
    const allowed = Math.floor(this.#bytes * this.#cap / row);
    const size = Math.ceil(this.#count / this.#groups) / group;
    // The spread of what is lost of n is as sqrt(n).
    const wanted = Math.ceil(rows * (size < 1 ? Math.sqrt(size) : size));
    this.#rows = Math.min(allowed, wanted, maxRows);
    return this.#groups * this.#rows;
  }

  /** Writes one of the parity segments that are due, the last one last. @returns its length in bytes */
  take(index: number, receiver: number, to: Uint8Array, at: number): number {
    const [groups, rows, stride, sum] = [this.#groups, this.#rows, this.#stride, this.#sumAt];
    const slot = index % groups;
    const row = Math.floor(index / groups);
    const count = Math.ceil((this.#count - slot) / groups);
    const [first, way] = [this.#first + slot, this.#way];
    const view = new DataView(to.buffer, to.byteOffset);
    writeParityHead(view, at, { receiver, way, first, stride: groups, count, row, rows });
    const buffer = this.#buffer;
    const length = this.#longest(slot);
    buffer.bytes.fill(0, sum, sum + blocks(length));
    for (let place = 0; place < count; place++) {
      const n = slot + place * groups;
      buffer.addScaled(sum, n * stride, blocks(this.#covered[n]!), coefficient(row, place));
    }
    to.set(buffer.bytes.subarray(sum, sum + length), at + parityHead);
    if (index === groups * rows - 1) this.reset();
    return parityHead + length;
  }

  /** Forgets the round: its segments go unprotected. */
  reset(): void {
    this.#count = this.#groups = this.#rows = 0;
  }

  /** Of what is covered of the segments of a group. */
  #longest(slot: number): number {
    let longest = 0;
    for (let n = slot; n < this.#count; n += this.#groups) {
      if (this.#covered[n]! > longest) longest = this.#covered[n]!;
    }
    return longest;
  }
}

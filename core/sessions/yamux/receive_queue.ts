/** Pieces below this are gathered: an object per byte received would cost a hundred times the byte. */
const SMALL_PIECE = 2048;
const MAX_GATHER = 8 * 1024;
const MIN_GATHER = 256;
/** A view may keep a buffer of at most this many times its own size alive; beyond that it is copied. */
const PINNED_RATIO = 8;

/**
 * Bytes received and not yet read. Holds views of what arrived where that is cheap, copies where a view would keep much
 * more memory alive than it shows: memory is at most about 10 times `size`, whatever the frames look like.
 */
export class ReceiveQueue {
  #pieces: Uint8Array[] = [];
  #head = 0;
  #gather: Uint8Array | null = null;
  #gathered = 0;
  #gatherCapacity = MIN_GATHER;
  #size = 0;

  /** Bytes waiting. */
  get size(): number {
    return this.#size;
  }

  /** With `direct`, a reader takes the piece at once: then it is neither copied nor gathered. */
  push(piece: Uint8Array, direct: boolean): void {
    if (piece.length === 0) return;
    this.#size += piece.length;
    if (direct && this.#size === piece.length) {
      this.#pieces.push(piece);
      return;
    }
    if (piece.length < SMALL_PIECE) return this.#pushSmall(piece);
    this.#sealGather();
    const pinned = piece.buffer.byteLength > PINNED_RATIO * piece.length;
    this.#pieces.push(pinned ? piece.slice() : piece);
  }

  /** The next piece, or `undefined` when nothing waits. */
  shift(): Uint8Array | undefined {
    if (this.#head === this.#pieces.length) {
      if (this.#gathered === 0) return undefined;
      this.#sealGather();
    }
    const piece = this.#pieces[this.#head];
    if (piece === undefined) return undefined;
    this.#head++;
    if (this.#head === this.#pieces.length) {
      this.#pieces.length = 0;
      this.#head = 0;
      this.#gatherCapacity = MIN_GATHER;
    } else if (this.#head > 64 && this.#head * 2 > this.#pieces.length) {
      this.#pieces = this.#pieces.slice(this.#head);
      this.#head = 0;
    } else {
      this.#pieces[this.#head - 1] = EMPTY;
    }
    this.#size -= piece.length;
    return piece;
  }

  /** Forgets everything; returns how many bytes that were. */
  clear(): number {
    const dropped = this.#size;
    this.#pieces = [];
    this.#head = 0;
    this.#gather = null;
    this.#gathered = 0;
    this.#size = 0;
    return dropped;
  }

  #pushSmall(piece: Uint8Array): void {
    if (this.#gather !== null && this.#gathered + piece.length > this.#gather.length) {
      this.#sealGather();
    }
    if (this.#gather === null) {
      this.#gather = new Uint8Array(Math.max(this.#gatherCapacity, piece.length));
      this.#gatherCapacity = Math.min(MAX_GATHER, this.#gatherCapacity * 2);
    }
    this.#gather.set(piece, this.#gathered);
    this.#gathered += piece.length;
  }

  #sealGather(): void {
    if (this.#gather !== null && this.#gathered > 0) {
      this.#pieces.push(this.#gather.subarray(0, this.#gathered));
    }
    this.#gather = null;
    this.#gathered = 0;
  }
}

const EMPTY = new Uint8Array(0);

import type { Arena } from "../../../ffi/libc/arena.ts";
import { IoVector } from "../../../ffi/libc/io_vector.ts";
import type { Libc } from "../../../ffi/libc/libc.ts";
import { TunQueue } from "../../../ffi/tun/tun.ts";
import { largestMessage, smallestSlot } from "../loop/limits.ts";
import { answer, type TunPort } from "../loop/ports.ts";

/** Pieces of the largest packet, and some: its header may lie elsewhere, its first and last piece be short. */
const mostPieces = Math.ceil(largestMessage / smallestSlot) + 16;

/** A queue of a TUN interface, as the loop sees it. */
export class NativeTunPort implements TunPort {
  /** Set after each wait: whether it is worth a call. */
  mayRead = true;
  readonly #queue: TunQueue;
  readonly #into: IoVector;
  readonly #from: IoVector;
  /** What `#into` is laid out for: trains begin at the same places again and again. */
  #laidOut = { at: -1, stride: 0, size: 0, count: 0 };

  /** @param fd of a `Tun`; it stays with whoever opened it */
  constructor(libc: Libc, arena: Arena, fd: number) {
    this.#queue = new TunQueue(libc, fd);
    this.#into = new IoVector(arena, mostPieces);
    this.#from = new IoVector(arena, mostPieces);
  }

  read(at: number, stride: number, size: number, count: number): number {
    if (!this.mayRead) return answer.again;
    const last = this.#laidOut;
    if (
      at !== last.at || count !== last.count || stride !== last.stride || size !== last.size
    ) {
      for (let piece = 0, offset = at; piece < count; piece++, offset += stride) {
        this.#into.set(piece, offset, size);
      }
      last.at = at;
      last.stride = stride;
      last.size = size;
      last.count = count;
    }
    const result = this.#queue.read(this.#into, count);
    if (result < 1) this.mayRead = false;
    return result;
  }

  write(at: Int32Array, length: Int32Array, pieces: number): number {
    for (let piece = 0; piece < pieces; piece++) {
      this.#from.set(piece, at[piece]!, length[piece]!);
    }
    return this.#queue.write(this.#from, pieces);
  }
}

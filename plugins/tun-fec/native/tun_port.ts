import type { Arena } from "../../../ffi/libc/arena.ts";
import { IoVector } from "../../../ffi/libc/io_vector.ts";
import type { Libc } from "../../../ffi/libc/libc.ts";
import { TunQueue } from "../../../ffi/tun/tun.ts";
import { largestMessage, queueBytes, smallestSlot } from "../loop/limits.ts";
import { answer, type TunPort } from "../loop/ports.ts";

/** Pieces of the largest packet, and some: its header may lie elsewhere, its first and last piece be short. */
const mostPieces = Math.ceil(largestMessage / smallestSlot) + 16;

/** One or more queues of a TUN interface, as the loop sees them. Those with packets have their turns with so many bytes each. */
export class NativeTunPort implements TunPort {
  readonly #queues: readonly TunQueue[];
  /** By queue: whether it is worth a call. */
  readonly #ready: boolean[];
  readonly #into: IoVector;
  readonly #from: IoVector;
  /** What `#into` is laid out for: trains begin at the same places again and again. */
  #laidOut = { at: -1, stride: 0, size: 0, count: 0 };
  /** The queue whose turn it is, and the bytes that are left of it. */
  #turn = 0;
  #left = queueBytes;

  /** @param fds of a `Tun` each; they stay with whoever opened them */
  constructor(libc: Libc, arena: Arena, fds: readonly number[]) {
    this.#queues = fds.map((fd) => new TunQueue(libc, fd));
    this.#ready = fds.map(() => true);
    this.#into = new IoVector(arena, mostPieces);
    this.#from = new IoVector(arena, mostPieces);
  }

  /** Told after each wait. */
  mayRead(queue: number, ready: boolean): void {
    this.#ready[queue] = ready;
  }

  /** Whether one of them is worth a call. */
  get readable(): boolean {
    return this.#ready.includes(true);
  }

  read(at: number, stride: number, size: number, count: number): number {
    let result: number = answer.again;
    for (let tried = this.#queues.length; tried > 0; tried--) {
      const turn = this.#turn;
      if (this.#ready[turn] === true) {
        this.#layOut(at, stride, size, count);
        result = this.#queues[turn]!.read(this.#into, count);
        if (result > 0) {
          this.#left -= result;
          if (this.#left <= 0) this.#next();
          return result;
        }
        this.#ready[turn] = false;
      }
      this.#next();
    }
    return result;
  }

  write(at: Int32Array, length: Int32Array, pieces: number, lane: number): number {
    for (let piece = 0; piece < pieces; piece++) {
      this.#from.set(piece, at[piece]!, length[piece]!);
    }
    // The kernel puts what goes the other way into the queue that its flow came from.
    return this.#queues[lane % this.#queues.length]!.write(this.#from, pieces);
  }

  #next(): void {
    this.#turn = (this.#turn + 1) % this.#queues.length;
    this.#left = queueBytes;
  }

  #layOut(at: number, stride: number, size: number, count: number): void {
    const last = this.#laidOut;
    if (
      at === last.at && count === last.count && stride === last.stride && size === last.size
    ) return;
    for (let piece = 0, offset = at; piece < count; piece++, offset += stride) {
      this.#into.set(piece, offset, size);
    }
    last.at = at;
    last.stride = stride;
    last.size = size;
    last.count = count;
  }
}

import type { NodeId } from "../identity/types.ts";
import { concatBytes } from "./byte_reader.ts";
import { type Announcement, type Ask, type Chunk, chunkBytes } from "./exchange_message.ts";

/** Pieces asked for and not yet here. */
const window = 4;
/** Without a new piece for so long, what is missing is asked for again. */
const progressMs = 3_000;
/** Times in a row; then the neighbour has not kept its word. */
const maxRetries = 3;

/** One config on its way here from one neighbour. Pieces take memory when they come, not when they are promised. */
export class Transfer {
  readonly peer: NodeId;
  readonly announced: Announcement;
  readonly #pieces: (Uint8Array | undefined)[];
  #asked = 0;
  #got = 0;
  #retries = 0;
  #deadline: number;

  constructor(peer: NodeId, announced: Announcement, now: number) {
    this.peer = peer;
    this.announced = announced;
    this.#pieces = Array.from({ length: Math.ceil(announced.length / chunkBytes) });
    this.#deadline = now + progressMs;
  }

  get hash(): string {
    return this.announced.hash;
  }

  get deadline(): number {
    return this.#deadline;
  }

  /** What to ask for now. */
  asks(): Ask[] {
    const asks: Ask[] = [];
    while (this.#asked < this.#pieces.length && this.#asked - this.#got < window) {
      if (this.#pieces[this.#asked] === undefined) asks.push(this.#ask(this.#asked));
      this.#asked++;
    }
    return asks;
  }

  /** False: it does not belong here. A piece that came before is no harm. */
  take({ offset, bytes }: Chunk, now: number): boolean {
    const index = offset / chunkBytes;
    const wanted = Math.min(chunkBytes, this.announced.length - offset);
    if (index >= this.#pieces.length || bytes.length !== wanted) return false;
    if (this.#pieces[index] === undefined) {
      this.#pieces[index] = bytes.slice();
      this.#got++;
      this.#retries = 0;
      this.#deadline = now + progressMs;
    }
    return true;
  }

  /** All of it, once it is here. */
  whole(): Uint8Array<ArrayBuffer> | undefined {
    if (this.#got < this.#pieces.length) return undefined;
    return concatBytes(...this.#pieces.flatMap((piece) => piece ?? []));
  }

  /** After the deadline: what to ask for again, or undefined when it is not worth it any more. */
  retry(now: number): Ask[] | undefined {
    if (this.#retries >= maxRetries) return undefined;
    this.#retries++;
    this.#deadline = now + progressMs;
    const missing: Ask[] = [];
    for (let i = 0; i < this.#asked && missing.length < window; i++) {
      if (this.#pieces[i] === undefined) missing.push(this.#ask(i));
    }
    return missing;
  }

  #ask(index: number): Ask {
    return { type: "ask", hash: this.announced.hash, offset: index * chunkBytes };
  }
}

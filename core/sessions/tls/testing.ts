import { StreamResetError } from "../errors.ts";
import type { ByteStream } from "../types.ts";

/** Support for tests and benchmarks: two ends of a `ByteStream` in memory. */

interface Pending {
  readonly chunk: Uint8Array;
  readonly taken: () => void;
  readonly failed: (error: unknown) => void;
}

/** One direction without a buffer: a write waits for a reader. */
class Lane {
  #offer: Pending | undefined;
  #lent: Pending | undefined;
  #reader:
    | { resolve: (chunk: Uint8Array | null) => void; reject: (e: unknown) => void }
    | undefined;
  #finished = false;
  #failure: StreamResetError | undefined;
  ended = Promise.withResolvers<void>();
  readonly #lending: boolean;

  constructor(lending: boolean) {
    this.#lending = lending;
  }

  read(): Promise<Uint8Array | null> {
    this.#return();
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    const offer = this.#offer;
    if (offer !== undefined) {
      this.#offer = undefined;
      return Promise.resolve(this.#lend(offer));
    }
    if (this.#finished) {
      this.ended.resolve();
      return Promise.resolve(null);
    }
    return new Promise((resolve, reject) => this.#reader = { resolve, reject });
  }

  write(chunk: Uint8Array): Promise<void> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    if (this.#finished) return Promise.reject(new StreamResetError("Written after closeWrite()"));
    if (chunk.length === 0) return Promise.resolve();
    return new Promise((taken, failed) => {
      const pending = { chunk, taken, failed };
      const reader = this.#reader;
      if (reader === undefined) {
        this.#offer = pending;
        return;
      }
      this.#reader = undefined;
      reader.resolve(this.#lend(pending));
    });
  }

  finish(): void {
    this.#finished = true;
    if (this.#reader === undefined) return;
    this.#reader.resolve(null);
    this.#reader = undefined;
    this.ended.resolve();
  }

  fail(error: StreamResetError): void {
    this.#failure = error;
    this.#reader?.reject(error);
    this.#offer?.failed(error);
    this.#lent?.failed(error);
    this.#reader = this.#offer = this.#lent = undefined;
    this.ended.resolve();
  }

  #lend(pending: Pending): Uint8Array {
    if (this.#lending) {
      this.#lent = pending;
      return pending.chunk;
    }
    pending.taken();
    return new Uint8Array(pending.chunk);
  }

  #return(): void {
    const lent = this.#lent;
    this.#lent = undefined;
    lent?.taken();
  }
}

class MemoryStream implements ByteStream {
  readonly closed: Promise<void>;
  readonly #incoming: Lane;
  readonly #outgoing: Lane;
  readonly #lending: boolean;
  #last: Uint8Array | null = null;
  #over = false;

  constructor(incoming: Lane, outgoing: Lane, lending: boolean) {
    this.#incoming = incoming;
    this.#outgoing = outgoing;
    this.#lending = lending;
    this.closed = Promise.all([incoming.ended.promise, outgoing.ended.promise]).then(() => {
      this.#over = true;
    });
  }

  async read(): Promise<Uint8Array | null> {
    // Whoever kept a chunk beyond its time finds out.
    if (!this.#lending) this.#last?.fill(0xa5);
    return this.#last = await this.#incoming.read();
  }

  write(chunk: Uint8Array): Promise<void> {
    return this.#outgoing.write(chunk);
  }

  closeWrite(): Promise<void> {
    this.#outgoing.finish();
    return Promise.resolve();
  }

  reset(code = 0): void {
    if (this.#over) return;
    this.#incoming.fail(new StreamResetError("The stream was reset here", code));
    this.#outgoing.fail(new StreamResetError("The peer reset the stream", code));
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.reset();
    return this.closed;
  }
}

/**
 * Two connected ends. A write waits until the other end reads; what was read is overwritten at the next read, as a transport with
 * one buffer does. With `lending` nothing is copied and a write waits until the reader comes back for more: for benchmarks.
 */
export function memoryStreamPair(options: { lending?: boolean } = {}): [ByteStream, ByteStream] {
  const lending = options.lending ?? false;
  const there = new Lane(lending);
  const back = new Lane(lending);
  return [new MemoryStream(back, there, lending), new MemoryStream(there, back, lending)];
}

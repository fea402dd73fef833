import { StreamResetError } from "../sessions/errors.ts";
import type { ByteStream } from "../sessions/types.ts";

/** What one direction holds before its writer has to wait. */
const laneBytes = 256 * 1024;

/** One direction: a bounded queue of copied chunks. */
class Lane {
  readonly #chunks: Uint8Array[] = [];
  #held = 0;
  #writable: (() => void) | undefined;
  #readable: (() => void) | undefined;
  #error: StreamResetError | undefined;
  ended = false;

  async read(): Promise<Uint8Array | null> {
    for (;;) {
      if (this.#error !== undefined) throw this.#error;
      const chunk = this.#chunks.shift();
      if (chunk !== undefined) {
        this.#held -= chunk.length;
        this.#writable?.();
        return chunk;
      }
      if (this.ended) return null;
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#readable = resolve;
      await promise;
    }
  }

  async write(chunk: Uint8Array): Promise<void> {
    if (chunk.length > 0 && !this.ended) {
      this.#chunks.push(chunk.slice());
      this.#held += chunk.length;
      this.#readable?.();
    }
    while (this.#held > laneBytes && this.#error === undefined) {
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#writable = resolve;
      await promise;
    }
    if (this.#error !== undefined) throw this.#error;
    if (this.ended) throw new StreamResetError("The stream was closed for writing");
  }

  end(): void {
    this.ended = true;
    this.#readable?.();
  }

  fail(error: StreamResetError): void {
    this.#error ??= error;
    this.#chunks.length = 0;
    this.#held = 0;
    this.ended = true;
    this.#writable?.();
    this.#readable?.();
  }
}

class MemoryStream implements ByteStream {
  readonly #incoming: Lane;
  readonly #outgoing: Lane;
  readonly #over: { promise: Promise<void>; resolve: () => void };
  readonly #finish: () => void;

  constructor(
    incoming: Lane,
    outgoing: Lane,
    over: { promise: Promise<void>; resolve: () => void },
    finish: () => void,
  ) {
    this.#incoming = incoming;
    this.#outgoing = outgoing;
    this.#over = over;
    this.#finish = finish;
  }

  read(): Promise<Uint8Array | null> {
    return this.#incoming.read();
  }

  write(chunk: Uint8Array): Promise<void> {
    return this.#outgoing.write(chunk);
  }

  closeWrite(): Promise<void> {
    this.#outgoing.end();
    this.#finish();
    return Promise.resolve();
  }

  reset(code = 0): void {
    if (this.#incoming.ended && this.#outgoing.ended) return;
    const error = new StreamResetError("The stream was reset", code);
    this.#incoming.fail(error);
    this.#outgoing.fail(error);
    this.#over.resolve();
  }

  get closed(): Promise<void> {
    return this.#over.promise;
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.reset();
    return Promise.resolve();
  }
}

/** Two ends of a stream inside one process: for a node that talks to itself, and for tests. Each direction holds 256 KiB. */
export function memoryStreamPair(): [ByteStream, ByteStream] {
  const ab = new Lane();
  const ba = new Lane();
  const over = Promise.withResolvers<void>();
  const finish = () => {
    if (ab.ended && ba.ended) over.resolve();
  };
  return [new MemoryStream(ba, ab, over, finish), new MemoryStream(ab, ba, over, finish)];
}

import { StreamResetError } from "../sessions/errors.ts";
import type { ByteStream } from "../sessions/types.ts";
import { type BufferPool, largeBuffer, mediumBuffer } from "./buffer_pool.ts";

/** Bytes one direction of a stream may have under way between two isolates. */
export const portWindow = 1024 * 1024;

/** Up to here a structured clone is as cheap as a transfer, and needs no buffer to come back. */
const maxCopied = 16 * 1024;

/** Least a chunk counts for, so that a flood of single bytes is bounded too (512 messages). */
const minCost = 2 * 1024;

/** Credit for copied chunks goes back in lumps. */
const creditLump = portWindow / 8;

/**
 * What goes over the port: a `Uint8Array` is data; an `ArrayBuffer` is a buffer coming back and its size in credit; a number is
 * credit for copied chunks; `null` ends a direction; `{ reset }` ends both.
 */
type PortMessage = Uint8Array | ArrayBuffer | number | null | { readonly reset: number };

/**
 * One end of a `ByteStream` whose other end lives in another isolate. Chunks above 16 KiB travel by transfer in pooled buffers,
 * which come back as credit once the reader has let go of them; at most `portWindow` bytes are under way each way. The far end
 * is not trusted: more data than granted, or credit for what was never sent, resets the stream.
 */
export class PortStream implements ByteStream {
  readonly #port: MessagePort;
  readonly #pool: BufferPool;
  readonly #over = Promise.withResolvers<void>();
  #error: StreamResetError | undefined;
  #portOpen = true;

  #credit = portWindow;
  #writeEnded = false;
  #wakeWriter: (() => void) | undefined;

  readonly #queue: Uint8Array[] = [];
  #queuedCost = 0;
  #held: Uint8Array | undefined;
  #merged: Uint8Array<ArrayBuffer> | undefined;
  #owed = 0;
  #readEnded = false;
  #wakeReader: (() => void) | undefined;

  constructor(port: MessagePort, pool: BufferPool) {
    this.#port = port;
    this.#pool = pool;
    port.onmessage = (event) => this.#receive(event.data);
    port.onmessageerror = () => this.reset();
  }

  get closed(): Promise<void> {
    return this.#over.promise;
  }

  async read(): Promise<Uint8Array | null> {
    this.#release();
    while (this.#queue.length === 0) {
      if (this.#error !== undefined) throw this.#error;
      if (this.#readEnded) return null;
      this.#merged = undefined;
      await new Promise<void>((resolve) => this.#wakeReader = resolve);
    }
    const chunk = this.#queue.shift()!;
    if (this.#mayMerge(chunk)) return this.#merge(chunk);
    this.#held = chunk;
    return chunk;
  }

  async write(chunk: Uint8Array): Promise<void> {
    let at = 0;
    do {
      const piece = chunk.length <= largeBuffer ? chunk : chunk.subarray(at, at + largeBuffer);
      const cost = sendCost(piece.length);
      while (this.#credit < cost && this.#error === undefined && !this.#writeEnded) {
        await new Promise<void>((resolve) => this.#wakeWriter = resolve);
      }
      if (this.#error !== undefined) throw this.#error;
      if (this.#writeEnded) throw new StreamResetError("The stream was closed for writing");
      if (piece.length > 0) this.#send(piece, cost);
      at += largeBuffer;
    } while (at < chunk.length);
  }

  closeWrite(): Promise<void> {
    if (this.#error !== undefined || this.#writeEnded) return Promise.resolve();
    this.#writeEnded = true;
    this.#wakeWriter?.();
    this.#post(null);
    this.#finishWhenDone();
    return Promise.resolve();
  }

  reset(code = 0): void {
    if (this.#error !== undefined || (this.#readEnded && this.#writeEnded)) return;
    this.#post({ reset: code });
    this.#fail(new StreamResetError("The stream was reset at this end", code));
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.reset();
    return Promise.resolve();
  }

  #send(piece: Uint8Array, cost: number): void {
    this.#credit -= cost;
    if (piece.length <= maxCopied) {
      // A view is cloned with all of its buffer, and a shared buffer not at all: cut out what is meant.
      const whole = piece.byteLength === piece.buffer.byteLength &&
        piece.buffer instanceof ArrayBuffer;
      this.#post(whole ? piece : piece.slice());
      return;
    }
    const buffer = this.#pool.take(piece.length <= mediumBuffer ? mediumBuffer : largeBuffer);
    const copy = new Uint8Array(buffer, 0, piece.length);
    copy.set(piece);
    this.#post(copy, buffer);
  }

  #receive(message: PortMessage): void {
    if (this.#error !== undefined) return;
    if (message instanceof Uint8Array) this.#receiveData(message);
    else if (message instanceof ArrayBuffer) {
      this.#pool.give(message);
      this.#receiveCredit(message.byteLength);
    } else if (typeof message === "number") this.#receiveCredit(message);
    else if (message === null && !this.#readEnded) {
      this.#readEnded = true;
      this.#wakeReader?.();
      this.#finishWhenDone();
    } else if (
      typeof message === "object" && message !== null && typeof message.reset === "number"
    ) {
      this.#fail(new StreamResetError("The other end reset the stream", message.reset));
    } else this.reset();
  }

  #receiveData(chunk: Uint8Array): void {
    this.#queuedCost += heldCost(chunk);
    if (
      this.#readEnded || chunk.length === 0 || this.#queuedCost > portWindow ||
      !(chunk.buffer instanceof ArrayBuffer)
    ) return this.reset();
    this.#queue.push(chunk);
    this.#wakeReader?.();
  }

  #receiveCredit(bytes: number): void {
    this.#credit += bytes;
    if (!(bytes > 0 && this.#credit <= portWindow)) return this.reset();
    this.#wakeWriter?.();
  }

  #mayMerge(chunk: Uint8Array): boolean {
    const [next] = this.#queue;
    return next !== undefined && chunk.length <= maxCopied && next.length <= maxCopied;
  }

  /** Small chunks that wait in line are read as one: a copy costs less than another round through the reader and its socket. */
  #merge(first: Uint8Array): Uint8Array {
    const merged = this.#merged ??= new Uint8Array(mediumBuffer);
    let filled = 0;
    let chunk: Uint8Array | undefined = first;
    do {
      merged.set(chunk, filled);
      filled += chunk.length;
      this.#giveBack(chunk);
      const next: Uint8Array | undefined = this.#queue[0];
      const fits = next !== undefined && next.length <= Math.min(maxCopied, merged.length - filled);
      chunk = fits ? this.#queue.shift() : undefined;
    } while (chunk !== undefined);
    return merged.subarray(0, filled);
  }

  /** Gives the chunk read last back to whoever sent it. */
  #release(): void {
    const chunk = this.#held;
    this.#held = undefined;
    if (chunk !== undefined) this.#giveBack(chunk);
  }

  #giveBack(chunk: Uint8Array): void {
    const cost = heldCost(chunk);
    this.#queuedCost -= cost;
    const buffer = chunk.buffer as ArrayBuffer;
    if (!isPooled(buffer)) {
      this.#owed += cost;
      if (this.#owed < creditLump) return;
      this.#post(this.#owed);
      this.#owed = 0;
    } else if (this.#portOpen) this.#post(buffer, buffer);
    else this.#pool.give(buffer);
  }

  #finishWhenDone(): void {
    if (!this.#readEnded || !this.#writeEnded) return;
    this.#closePort();
    this.#over.resolve();
  }

  #fail(error: StreamResetError): void {
    if (this.#readEnded && this.#writeEnded) return;
    this.#error = error;
    for (const chunk of this.#queue.splice(0)) this.#pool.give(chunk.buffer as ArrayBuffer);
    this.#closePort();
    this.#wakeReader?.();
    this.#wakeWriter?.();
    this.#over.resolve();
  }

  #post(message: PortMessage, transfer?: ArrayBuffer): void {
    if (!this.#portOpen) return;
    if (transfer === undefined) this.#port.postMessage(message);
    else this.#port.postMessage(message, [transfer]);
  }

  #closePort(): void {
    this.#portOpen = false;
    this.#port.onmessage = null;
    this.#port.close();
  }
}

/** Ends a stream nobody is going to use: the other end reads a reset. */
export function abandonPort(port: MessagePort): void {
  port.postMessage({ reset: 0 } satisfies PortMessage);
  port.close();
}

function isPooled(buffer: ArrayBuffer): boolean {
  return buffer.byteLength === mediumBuffer || buffer.byteLength === largeBuffer;
}

function sendCost(length: number): number {
  if (length <= maxCopied) return Math.max(length, minCost);
  return length <= mediumBuffer ? mediumBuffer : largeBuffer;
}

function heldCost(chunk: Uint8Array): number {
  return Math.max(chunk.buffer.byteLength, minCost);
}

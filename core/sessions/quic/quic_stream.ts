import { errorText } from "../../errors/mod.ts";
import { StreamResetError } from "../errors.ts";
import type { ByteStream } from "../types.ts";

/** What a stream tells the session it belongs to. */
export interface QuicStreamOwner {
  /** This end gave the stream up: tell the peer, and call `release()` once it knows. */
  onReset(stream: QuicStream, code: number): void;
  /** Both directions have ended. A stream that failed instead (`clean` is false) still has native halves to release. */
  onEnd(stream: QuicStream, clean: boolean): void;
  onBytesIn(count: number): void;
  onBytesOut(count: number): void;
}

/** A stream starts small, because thousands may idle, and grows while reads fill it. */
const firstBufferBytes = 4 * 1024;
const maxBufferBytes = 256 * 1024;

/**
 * A QUIC stream as a `ByteStream`: one BYOB buffer handed back and forth, no copies.
 *
 * Deno offers FIN and STOP_SENDING only, and turns an aborted writer into a FIN. So a reset says nothing on the stream at first:
 * the session tells the peer beside it, and `release()` lets the native halves go when the peer has understood.
 */
export class QuicStream implements ByteStream {
  readonly id: number;
  readonly closed: Promise<void>;
  readonly #owner: QuicStreamOwner;
  readonly #reader: ReadableStreamBYOBReader;
  readonly #writer: WritableStreamDefaultWriter<Uint8Array>;
  readonly #ended = Promise.withResolvers<void>();

  #buffer: ArrayBuffer | undefined = new ArrayBuffer(firstBufferBytes);
  #reading: PromiseWithResolvers<Uint8Array | null> | undefined;
  #writing: PromiseWithResolvers<void> | undefined;
  #writingBytes = 0;
  #readEnded = false;
  #writeEnded: Promise<void> | undefined;
  #writeFinished = false;
  #over = false;
  #failure: StreamResetError | undefined;

  constructor(native: Deno.QuicBidirectionalStream, owner: QuicStreamOwner) {
    this.id = Number(native.readable.id);
    this.#owner = owner;
    this.#reader = native.readable.getReader({ mode: "byob" });
    this.#writer = native.writable.getWriter();
    this.closed = this.#ended.promise;
    // Both reject when the session ends; every call below reports that itself.
    this.#reader.closed.catch(() => {});
    this.#writer.closed.catch(() => {});
  }

  read(): Promise<Uint8Array | null> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    if (this.#readEnded) return Promise.resolve(null);
    const reading = this.#reading = Promise.withResolvers<Uint8Array | null>();
    const buffer = this.#buffer ?? new ArrayBuffer(firstBufferBytes);
    this.#buffer = undefined;
    this.#reader.read(new Uint8Array(buffer)).then(this.#onRead, this.#onError);
    return reading.promise;
  }

  write(chunk: Uint8Array): Promise<void> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    if (this.#writeEnded !== undefined) {
      return Promise.reject(new StreamResetError("Written after closeWrite()"));
    }
    if (chunk.length === 0) return Promise.resolve();
    const writing = this.#writing = Promise.withResolvers<void>();
    this.#writingBytes = chunk.length;
    this.#writer.write(chunk).then(this.#onWritten, this.#onError);
    return writing.promise;
  }

  closeWrite(): Promise<void> {
    this.#writeEnded ??= this.#finishWriting();
    return this.#writeEnded;
  }

  reset(code = 0): void {
    if (this.#over) return;
    this.fail(new StreamResetError("The stream was reset here", code));
    this.#owner.onReset(this, code);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.reset();
    await this.closed;
  }

  /** Ends every pending and later call with `error`. The native halves stay until `release()`. */
  fail(error: StreamResetError): void {
    if (this.#over) return;
    this.#failure = error;
    this.#reading?.reject(error);
    this.#writing?.reject(error);
    this.#reading = undefined;
    this.#writing = undefined;
    this.#end();
  }

  /** Lets the native halves go: STOP_SENDING one way, FIN the other. Only when the peer no longer believes a FIN. */
  release(): void {
    this.#buffer = undefined;
    // Either may be over already, with the session or by itself.
    this.#reader.cancel().catch(() => {});
    this.#writer.abort().catch(() => {});
  }

  readonly #onRead = (result: ReadableStreamReadResult<Uint8Array<ArrayBuffer>>): void => {
    const reading = this.#reading;
    if (reading === undefined) return;
    this.#reading = undefined;
    if (result.done) {
      this.#readEnded = true;
      this.#settle();
      reading.resolve(null);
      return;
    }
    const chunk = result.value;
    const buffer = chunk.buffer;
    // A read that filled its buffer met more than it could take.
    this.#buffer = chunk.length === buffer.byteLength && buffer.byteLength < maxBufferBytes
      ? new ArrayBuffer(buffer.byteLength * 4)
      : buffer;
    this.#owner.onBytesIn(chunk.length);
    reading.resolve(chunk);
  };

  readonly #onWritten = (): void => {
    const writing = this.#writing;
    if (writing === undefined) return;
    this.#writing = undefined;
    this.#owner.onBytesOut(this.#writingBytes);
    writing.resolve();
  };

  /** The native stream failed: the session ended, or the peer let go without saying why. */
  readonly #onError = (error: unknown): void => {
    if (this.#over) return;
    this.fail(new StreamResetError(`The stream ended: ${errorText(error)}`, 0, error));
    this.#owner.onReset(this, 0);
  };

  async #finishWriting(): Promise<void> {
    if (this.#failure !== undefined) throw this.#failure;
    try {
      await this.#writer.close();
    } catch (error) {
      this.#onError(error);
    }
    if (this.#failure !== undefined) throw this.#failure;
    this.#writeFinished = true;
    this.#settle();
  }

  #settle(): void {
    if (this.#readEnded && this.#writeFinished) this.#end();
  }

  #end(): void {
    if (this.#over) return;
    this.#over = true;
    this.#owner.onEnd(this, this.#failure === undefined);
    this.#ended.resolve();
  }
}

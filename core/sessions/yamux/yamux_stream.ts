import { PulseError } from "../../errors/mod.ts";
import { StreamResetError } from "../errors.ts";
import type { ByteStream } from "../types.ts";
import type { StreamState } from "./stream_state.ts";
import type { YamuxCore } from "./yamux_core.ts";

const NOTHING = Promise.resolve();

/** The `ByteStream` face of a stream's state: promises for what the core does. */
export class YamuxStream implements ByteStream {
  readonly closed: Promise<void>;
  readonly #core: YamuxCore;
  readonly #state: StreamState;
  readonly #now: () => number;
  #reader: PromiseWithResolvers<Uint8Array | null> | null = null;
  #writer: PromiseWithResolvers<void> | null = null;
  #closer: PromiseWithResolvers<void> | null = null;

  constructor(core: YamuxCore, state: StreamState, now: () => number) {
    this.#core = core;
    this.#state = state;
    this.#now = now;
    const closed = Promise.withResolvers<void>();
    this.closed = closed.promise;
    state.observer = {
      readable: () => this.#onReadable(),
      written: () => this.#onWritten(),
      writeClosed: () => this.#onWriteClosed(),
      ended: () => closed.resolve(),
    };
    if (state.ended) closed.resolve();
  }

  read(): Promise<Uint8Array | null> {
    if (this.#reader !== null) return Promise.reject(busy("read"));
    const piece = this.#core.take(this.#state, this.#now());
    if (piece !== undefined) return Promise.resolve(piece);
    if (this.#state.error !== null) return Promise.reject(again(this.#state.error));
    if (this.#state.finReceived) return Promise.resolve(null);
    this.#reader = Promise.withResolvers();
    this.#state.readerWaits = true;
    return this.#reader.promise;
  }

  write(chunk: Uint8Array): Promise<void> {
    const state = this.#state;
    if (this.#writer !== null) return Promise.reject(busy("write"));
    if (state.error !== null) return Promise.reject(again(state.error));
    if (state.finWanted) {
      return Promise.reject(
        new PulseError(
          "SESSION_STREAM_WRITE_CLOSED",
          "write() after closeWrite(): nothing was sent",
        ),
      );
    }
    if (chunk.length === 0) return NOTHING;
    state.out = chunk;
    state.outAt = 0;
    this.#writer = Promise.withResolvers();
    this.#core.touch(state);
    return this.#writer.promise;
  }

  closeWrite(): Promise<void> {
    const state = this.#state;
    if (this.#closer !== null) return this.#closer.promise;
    this.#closer = Promise.withResolvers();
    state.finWanted = true;
    if (state.error !== null || state.finSent) this.#closer.resolve();
    else this.#core.touch(state);
    return this.#closer.promise;
  }

  reset(code = 0): void {
    this.#core.reset(this.#state, code);
  }

  /** A stream that is disposed before both directions ended is reset. */
  [Symbol.asyncDispose](): Promise<void> {
    this.reset();
    return this.closed;
  }

  #onReadable(): void {
    const reader = this.#reader;
    if (reader === null) return;
    this.#reader = null;
    this.#state.readerWaits = false;
    const piece = this.#core.take(this.#state, this.#now());
    if (piece !== undefined) reader.resolve(piece);
    else if (this.#state.error !== null) reader.reject(again(this.#state.error));
    else reader.resolve(null);
  }

  #onWritten(): void {
    const writer = this.#writer;
    if (writer === null) return;
    this.#writer = null;
    if (this.#state.error !== null) writer.reject(again(this.#state.error));
    else writer.resolve();
  }

  #onWriteClosed(): void {
    // Also when the stream was reset: there is nothing left to close, and the reset reached whoever reads or writes.
    this.#closer?.resolve();
  }
}

/** A new error per caller, so that its stack shows the call that failed. */
function again(error: StreamResetError): StreamResetError {
  return new StreamResetError(error.message, error.resetCode, error.cause);
}

function busy(call: string): PulseError {
  return new PulseError(
    "SESSION_STREAM_BUSY",
    `${call}() while another ${call}() of the stream is pending: wait for it first`,
  );
}

import { errorText } from "../errors/mod.ts";
import { StreamResetError } from "../sessions/errors.ts";
import type { ByteStream } from "../sessions/types.ts";

/** A quiet connection holds this much; one that fills its buffer gets a larger one, so a thousand idle ones stay cheap. */
const firstBuffer = 16 * 1024;
const largestBuffer = 256 * 1024;

/**
 * A TCP or unix connection as a `ByteStream`. Owns the connection: it is closed when both directions have ended, or at once by `reset()`.
 *
 * Deno offers no SO_LINGER and shuts a connection down before it closes it, so the other end of a `reset()` reads an orderly end of
 * stream and learns better only when it writes. What must not be cut short unnoticed needs its own length.
 */
export class ConnStream implements ByteStream {
  readonly #conn: Deno.Conn;
  readonly #closed = Promise.withResolvers<void>();
  #buffer: Uint8Array<ArrayBuffer> | undefined;
  #readEnded = false;
  #writeEnded = false;
  #gone = false;

  constructor(conn: Deno.Conn) {
    this.#conn = conn;
  }

  get closed(): Promise<void> {
    return this.#closed.promise;
  }

  async read(): Promise<Uint8Array | null> {
    if (this.#readEnded) return null;
    this.#assertOpen("read from");
    const buffer = this.#buffer ??= new Uint8Array(firstBuffer);
    let length: number | null;
    try {
      length = await this.#conn.read(buffer);
    } catch (cause) {
      throw this.#broken(cause);
    }
    if (length === null) {
      this.#readEnded = true;
      this.#buffer = undefined;
      this.#closeIfDone();
      return null;
    }
    if (length === buffer.length && length < largestBuffer) {
      this.#buffer = new Uint8Array(Math.min(length * 4, largestBuffer));
    }
    return buffer.subarray(0, length);
  }

  async write(chunk: Uint8Array): Promise<void> {
    if (this.#writeEnded) throw new StreamResetError("The connection was closed for writing");
    this.#assertOpen("write to");
    try {
      let written = await this.#conn.write(chunk);
      while (written < chunk.length) written += await this.#conn.write(chunk.subarray(written));
    } catch (cause) {
      throw this.#broken(cause);
    }
  }

  async closeWrite(): Promise<void> {
    if (this.#writeEnded) return;
    this.#assertOpen("close");
    this.#writeEnded = true;
    try {
      await this.#conn.closeWrite();
    } catch (cause) {
      throw this.#broken(cause);
    }
    this.#closeIfDone();
  }

  reset(): void {
    if (this.#gone) return;
    this.#gone = true;
    this.#buffer = undefined;
    this.#conn.close();
    this.#closed.resolve();
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.reset();
    return Promise.resolve();
  }

  #closeIfDone(): void {
    if (this.#readEnded && this.#writeEnded) this.reset();
  }

  #assertOpen(what: string): void {
    if (this.#gone) throw new StreamResetError(`Cannot ${what} a connection that has ended`);
  }

  #broken(cause: unknown): StreamResetError {
    const ours = this.#gone;
    this.reset();
    return new StreamResetError(
      ours ? "The connection was reset here" : `The connection broke: ${errorText(cause)}`,
      0,
      cause,
    );
  }
}

/** The connection as a stream; small writes are sent at once. */
export function connToStream(conn: Deno.Conn): ConnStream {
  if ("setNoDelay" in conn && typeof conn.setNoDelay === "function") conn.setNoDelay(true);
  return new ConnStream(conn);
}

import { errorText } from "../../core/errors/mod.ts";
import { StreamResetError } from "../../core/sessions/errors.ts";
import type { ByteStream } from "../../core/sessions/types.ts";

/** A readable and a writable end, such as stdin and stdout. */
export interface StdioEnds {
  readonly input: { read(buffer: Uint8Array): Promise<number | null>; close(): void };
  readonly output: { write(chunk: Uint8Array): Promise<number>; close(): void };
}

const bufferBytes = 256 * 1024;

/**
 * This process's stdin and stdout as one stream, so that a tunnel's rules hold for them: the end of stdin closes the far end's reading
 * side and nothing else; what comes back goes on to stdout until its own end.
 */
export class StdioStream implements ByteStream {
  readonly #ends: StdioEnds;
  readonly #buffer = new Uint8Array(bufferBytes);
  readonly #closed = Promise.withResolvers<void>();
  #readEnded = false;
  #writeEnded = false;
  #reset = false;

  constructor(ends: StdioEnds) {
    this.#ends = ends;
  }

  get closed(): Promise<void> {
    return this.#closed.promise;
  }

  async read(): Promise<Uint8Array | null> {
    if (this.#readEnded) return null;
    const length = await this.#attempt("stdin", () => this.#ends.input.read(this.#buffer));
    if (length !== null) return this.#buffer.subarray(0, length);
    this.#readEnded = true;
    this.#settle();
    return null;
  }

  async write(chunk: Uint8Array): Promise<void> {
    let written = 0;
    while (written < chunk.length) {
      const rest = chunk.subarray(written);
      written += await this.#attempt("stdout", () => this.#ends.output.write(rest));
    }
  }

  closeWrite(): Promise<void> {
    if (!this.#writeEnded) {
      this.#writeEnded = true;
      this.#ends.output.close();
      this.#settle();
    }
    return Promise.resolve();
  }

  reset(): void {
    if (this.#reset) return;
    this.#reset = true;
    if (!this.#readEnded) this.#ends.input.close();
    if (!this.#writeEnded) this.#ends.output.close();
    this.#readEnded = true;
    this.#writeEnded = true;
    this.#closed.resolve();
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.reset();
    return Promise.resolve();
  }

  async #attempt<T>(what: string, act: () => Promise<T>): Promise<T> {
    try {
      return await act();
    } catch (cause) {
      throw new StreamResetError(`${what} broke: ${errorText(cause)}`, 0, cause);
    }
  }

  #settle(): void {
    if (this.#readEnded && this.#writeEnded) this.#closed.resolve();
  }
}

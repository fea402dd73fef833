import { Duplex } from "node:stream";
import { errorText } from "../../errors/mod.ts";
import type { ByteStream } from "../types.ts";

/**
 * A `ByteStream` as the Duplex that `node:tls` wants. Nothing is copied: chunks are handed on as they come, one at a time, so
 * the inner stream's rule "valid until the next read" holds and the inner stream's back-pressure is TLS's.
 *
 * `pause()` of a `TLSSocket` does not reach a Duplex under it in Deno 2.9 (measured: it goes on reading and buffers without
 * limit), so whoever reads the plaintext holds the ciphertext here.
 */
export class StreamDuplex extends Duplex {
  readonly #inner: ByteStream;
  #wanted = false;
  #pumping = false;
  #held = false;

  constructor(inner: ByteStream) {
    // One byte: `push()` says stop as soon as anything waits, and `_read()` comes only when nothing does.
    super({ allowHalfOpen: true, readableHighWaterMark: 1 });
    this.#inner = inner;
  }

  /** Takes no more from the inner stream, beyond a read that is under way, until `release()`. */
  hold(): void {
    this.#held = true;
  }

  release(): void {
    this.#held = false;
    if (this.#wanted && !this.#pumping) this.#pump();
  }

  override _read(): void {
    this.#wanted = true;
    if (!this.#pumping && !this.#held) this.#pump();
  }

  async #pump(): Promise<void> {
    this.#pumping = true;
    try {
      // Node asks for more just before it hands out what is buffered, and the next read ends that chunk's life.
      await undefined;
      do {
        const chunk = await this.#inner.read();
        if (this.destroyed) return;
        // A request from before this chunk is answered by it; only one made from now on allows the next read.
        this.#wanted = false;
        if (this.push(chunk)) this.#wanted = true;
        if (chunk === null) return;
      } while (this.#wanted && !this.#held);
    } catch (error) {
      this.destroy(error instanceof Error ? error : new Error(errorText(error)));
    } finally {
      this.#pumping = false;
    }
  }

  override _write(
    chunk: Uint8Array,
    _encoding: string,
    done: (error?: Error | null) => void,
  ): void {
    // A plain view: a Buffer's `slice()` does not copy, a `Uint8Array`'s does.
    const bytes = new Uint8Array(chunk.buffer, chunk.byteOffset, chunk.length);
    this.#inner.write(bytes).then(() => done(), done);
  }

  override _final(done: (error?: Error | null) => void): void {
    this.#inner.closeWrite().then(() => done(), done);
  }
}

import { ProtocolError } from "../sessions/errors.ts";
import { WrappedStream } from "./wrapped_stream.ts";

/**
 * Reads exact lengths off the front of a stream and gives back what came along with them: the bytes behind a header in the
 * same chunk are payload and must reach whoever reads next.
 */
export class BufferedStream extends WrappedStream {
  #rest: Uint8Array | null = null;

  /**
   * Exactly `length` bytes, copied.
   * @throws {ProtocolError} the stream ended before
   */
  async readExact(length: number): Promise<Uint8Array> {
    const out = new Uint8Array(length);
    let filled = 0;
    while (filled < length) {
      const chunk = this.#rest ?? await super.read();
      this.#rest = null;
      if (chunk === null) {
        throw new ProtocolError(`The stream ended after ${filled} of ${length} header bytes`);
      }
      const taken = Math.min(chunk.length, length - filled);
      out.set(chunk.subarray(0, taken), filled);
      filled += taken;
      if (taken < chunk.length) this.#rest = chunk.subarray(taken);
    }
    return out;
  }

  override read(): Promise<Uint8Array | null> {
    if (this.#rest === null) return super.read();
    const rest = this.#rest;
    this.#rest = null;
    return Promise.resolve(rest);
  }
}

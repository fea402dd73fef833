import { ProtocolError } from "../sessions/errors.ts";
import type { ByteStream } from "../sessions/types.ts";

/** What the length before a datagram can say. */
export const maxDatagramBytes = 65_535;

/** Datagrams on a stream, `u16 length, payload` each: borders are kept, and so is the order. */
export class DatagramStream {
  readonly #stream: ByteStream;
  #rest: Uint8Array = new Uint8Array(0);

  constructor(stream: ByteStream) {
    this.#stream = stream;
  }

  /**
   * The next datagram, possibly an empty one; null when the other end will send no more. Valid until the next call.
   * @throws {ProtocolError} the stream ended inside one
   * @throws {StreamResetError}
   */
  async receive(): Promise<Uint8Array | null> {
    for (;;) {
      const [high = 0, low = 0] = this.#rest;
      const end = 2 + high * 256 + low;
      if (this.#rest.length >= 2 && this.#rest.length >= end) {
        const payload = this.#rest.subarray(2, end);
        this.#rest = this.#rest.subarray(end);
        return payload;
      }
      if (!await this.#more()) return null;
    }
  }

  /** Sends one datagram, or several in one write. One call at a time. @throws {StreamResetError} */
  async send(...payloads: readonly Uint8Array[]): Promise<void> {
    const size = payloads.reduce((sum, { length }) => sum + 2 + length, 0);
    const frames = new Uint8Array(size);
    let at = 0;
    for (const payload of payloads) {
      if (payload.length > maxDatagramBytes) {
        throw new ProtocolError(`A datagram of ${payload.length} bytes is too long to be sent`);
      }
      frames[at] = payload.length >> 8;
      frames[at + 1] = payload.length & 255;
      frames.set(payload, at + 2);
      at += 2 + payload.length;
    }
    await this.#stream.write(frames);
  }

  /** False: the stream has ended. What is kept of the last chunk is copied, because its buffer is used again. */
  async #more(): Promise<boolean> {
    const kept = this.#rest.slice();
    const chunk = await this.#stream.read();
    if (chunk === null) {
      if (kept.length > 0) throw new ProtocolError("The stream ended inside a datagram");
      return false;
    }
    if (kept.length === 0) {
      this.#rest = chunk;
      return true;
    }
    const joined = new Uint8Array(kept.length + chunk.length);
    joined.set(kept, 0);
    joined.set(chunk, kept.length);
    this.#rest = joined;
    return true;
  }
}

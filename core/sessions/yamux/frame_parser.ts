import { ProtocolError } from "../errors.ts";
import { FrameType, HEADER_BYTES, PROTOCOL_VERSION } from "./frame.ts";

/** Where parsed frames go. Both may throw `ProtocolError`; the parser is of no use after that. */
export interface FrameSink {
  /** A header is complete. For data frames `length` bytes follow through `onData`. */
  onFrame(type: FrameType, flags: number, streamId: number, length: number): void;
  /** A piece of the current data frame's payload: a view into the pushed chunk. `last` marks the frame's end. */
  onData(streamId: number, piece: Uint8Array, last: boolean): void;
}

/**
 * Cuts a byte sequence, however it is chunked, into frames. Holds at most 11 bytes of a split header; payload is passed
 * on as views, never collected, so a frame that announces 4 GB costs nothing.
 */
export class FrameParser {
  readonly #sink: FrameSink;
  readonly #partial = new Uint8Array(HEADER_BYTES);
  #partialLength = 0;
  #streamId = 0;
  #payloadLeft = 0;

  constructor(sink: FrameSink) {
    this.#sink = sink;
  }

  /** True between frames: the next byte is the first of a header. */
  get atBoundary(): boolean {
    return this.#partialLength === 0 && this.#payloadLeft === 0;
  }

  /** @throws {ProtocolError} unknown version or type, or what the sink throws */
  push(chunk: Uint8Array): void {
    let at = 0;
    while (at < chunk.length) {
      if (this.#payloadLeft > 0) {
        const end = Math.min(chunk.length, at + this.#payloadLeft);
        this.#payloadLeft -= end - at;
        this.#sink.onData(this.#streamId, chunk.subarray(at, end), this.#payloadLeft === 0);
        at = end;
      } else if (this.#partialLength === 0 && chunk.length - at >= HEADER_BYTES) {
        this.#header(chunk, at);
        at += HEADER_BYTES;
      } else {
        const take = Math.min(HEADER_BYTES - this.#partialLength, chunk.length - at);
        this.#partial.set(chunk.subarray(at, at + take), this.#partialLength);
        this.#partialLength += take;
        at += take;
        if (this.#partialLength === HEADER_BYTES) {
          this.#partialLength = 0;
          this.#header(this.#partial, 0);
        }
      }
    }
  }

  #header(bytes: Uint8Array, at: number): void {
    const byte = (offset: number) => bytes[at + offset] ?? 0;
    const version = byte(0);
    if (version !== PROTOCOL_VERSION) {
      throw new ProtocolError(`the peer sent a yamux frame of version ${version}, known is 0`, {
        version,
      });
    }
    const type = byte(1);
    if (type > FrameType.goAway) {
      throw new ProtocolError(`the peer sent a yamux frame of unknown type ${type}`, { type });
    }
    const flags = byte(2) << 8 | byte(3);
    const streamId = (byte(4) << 24 | byte(5) << 16 | byte(6) << 8 | byte(7)) >>> 0;
    const length = (byte(8) << 24 | byte(9) << 16 | byte(10) << 8 | byte(11)) >>> 0;
    if (type === FrameType.data) {
      this.#streamId = streamId;
      this.#payloadLeft = length;
    }
    this.#sink.onFrame(type as FrameType, flags, streamId, length);
  }
}

import { JoinError } from "./join_errors.ts";
import type { JoinChannel } from "./join_channel.ts";
import { maxJoinMessageBytes, maxJoinMessages } from "./join_messages.ts";

/** The part of a `ByteStream` the framing needs. */
export interface JoinByteStream {
  /** Next bytes, valid until the next call; `null` at the end. */
  read(): Promise<Uint8Array | null>;
  write(chunk: Uint8Array): Promise<void>;
}

/**
 * Messages of a join over a byte stream: `u32 length` and the message, at most 16 KiB each and 8 each way. The caller keeps the stream and
 * closes it.
 */
export function frameJoin(
  stream: JoinByteStream,
  remoteAddress: string,
): JoinChannel & { readonly remoteAddress: string } {
  const reader = new FrameReader(stream);
  let sent = 0;
  let received = 0;
  return {
    remoteAddress,
    async receive() {
      const message = await reader.next();
      if (message !== null && ++received > maxJoinMessages) throw tooMany();
      return message;
    },
    async send(message) {
      if (message.length === 0 || message.length > maxJoinMessageBytes) {
        throw new JoinError("JOIN_PROTOCOL", `a join message of ${message.length} bytes`);
      }
      if (++sent > maxJoinMessages) throw tooMany();
      const frame = new Uint8Array(4 + message.length);
      new DataView(frame.buffer).setUint32(0, message.length);
      frame.set(message, 4);
      await stream.write(frame);
    },
  };
}

function tooMany(): JoinError {
  return new JoinError("JOIN_PROTOCOL", `more than ${maxJoinMessages} join messages`);
}

/** Cuts a stream into frames; holds at most one message and one chunk. */
class FrameReader {
  readonly #stream: JoinByteStream;
  #rest: Uint8Array = new Uint8Array(0);

  constructor(stream: JoinByteStream) {
    this.#stream = stream;
  }

  async next(): Promise<Uint8Array | null> {
    const head = await this.#exactly(4);
    if (head === null) return null;
    const length = new DataView(head.buffer).getUint32(0);
    if (length === 0 || length > maxJoinMessageBytes) {
      throw new JoinError("JOIN_PROTOCOL", `a join message of ${length} bytes`);
    }
    const body = await this.#exactly(length);
    if (body === null) throw new JoinError("JOIN_CLOSED", "the stream ended inside a message");
    return body;
  }

  /** A copy of the next bytes; null when the stream ended before the first of them. */
  async #exactly(count: number): Promise<Uint8Array<ArrayBuffer> | null> {
    const out = new Uint8Array(count);
    let filled = 0;
    while (filled < count) {
      if (this.#rest.length === 0) {
        const chunk = await this.#stream.read();
        if (chunk === null) {
          if (filled === 0) return null;
          throw new JoinError("JOIN_CLOSED", "the stream ended inside a message");
        }
        // Only read on when the chunk is used up, so it may stay where it is.
        this.#rest = chunk;
      }
      const taken = this.#rest.subarray(0, count - filled);
      out.set(taken, filled);
      filled += taken.length;
      this.#rest = this.#rest.subarray(taken.length);
    }
    return out;
  }
}

import type { ByteStream } from "../../../core/sessions/types.ts";
import { DatagramStream } from "../../../core/streams/mod.ts";

/** Segments that wait to be written; what comes on top is dropped, as a full queue of a network does. */
const maxWaiting = 256;

/** Writes segments to a stream without ever making the sender wait. */
export class SegmentWriter {
  readonly #stream: ByteStream;
  readonly #datagrams: DatagramStream;
  readonly #waiting: Uint8Array[] = [];
  #writing = false;

  constructor(stream: ByteStream) {
    this.#stream = stream;
    this.#datagrams = new DatagramStream(stream);
  }

  /** False: dropped. The bytes are the writer's from then on. */
  push(bytes: Uint8Array): boolean {
    if (this.#waiting.length >= maxWaiting) return false;
    this.#waiting.push(bytes);
    if (!this.#writing) void this.#write();
    return true;
  }

  async #write(): Promise<void> {
    this.#writing = true;
    try {
      while (this.#waiting.length > 0) await this.#datagrams.send(...this.#waiting.splice(0));
    } catch {
      // The reader of the stream sees its end, too, and has it opened again.
      this.#stream.reset();
    }
    this.#writing = false;
  }
}

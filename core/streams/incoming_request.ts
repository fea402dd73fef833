import type { NodeId } from "../identity/types.ts";
import type { BufferedStream } from "./buffered_stream.ts";
import { streamStatus, type StreamStatusCode } from "./errors.ts";
import { PathStream } from "./mesh_stream.ts";
import { encodeAnswer } from "./stream_header.ts";
import type { IncomingStream, MeshStream } from "./types.ts";

/** A stream that asks to end here. Exactly one of `accept` and `refuse` is called. */
export class IncomingRequest {
  readonly from: IncomingStream;
  readonly #stream: BufferedStream;
  readonly #self: NodeId;

  constructor(stream: BufferedStream, from: IncomingStream, self: NodeId) {
    this.#stream = stream;
    this.from = from;
    this.#self = self;
  }

  /** Answers yes and hands the stream over. */
  async accept(): Promise<MeshStream> {
    await this.#stream.write(encodeAnswer({ status: 0, reason: "", hop: this.#self }));
    return new PathStream(this.#stream, this.from.origin, this.from.path);
  }

  /** Cuts the stream short, whether it was answered or not. */
  reset(): void {
    this.#stream.reset();
  }

  /** Resolves when the stream has ended. */
  get closed(): Promise<void> {
    return this.#stream.closed;
  }

  /** Answers why not and ends the stream. */
  async refuse(status: StreamStatusCode, reason: string): Promise<void> {
    await refuseStream(this.#stream, this.#self, status, reason);
  }
}

/** Writes a refusal and closes; a peer that is gone already needs no answer. */
export async function refuseStream(
  stream: BufferedStream,
  self: NodeId,
  status: StreamStatusCode,
  reason: string,
): Promise<void> {
  try {
    await stream.write(encodeAnswer({ status: streamStatus[status], reason, hop: self }));
    await stream.closeWrite();
    // The opener reads the answer and ends its side; what it still sends (an optimistic handshake) is drained, within bounds.
    for (let drained = 0; drained < 65_536;) {
      const chunk = await stream.read();
      if (chunk === null) return;
      drained += chunk.length;
    }
    stream.reset();
  } catch {
    // The stream broke while the refusal was being said: there is nobody left to tell.
    stream.reset();
  }
}

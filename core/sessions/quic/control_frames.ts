import { ProtocolError } from "../errors.ts";

/**
 * What the two ends tell each other about streams beside the streams: Deno's QUIC can neither send RESET_STREAM nor a code with
 * STOP_SENDING, and a stream that is dropped unfinished ends with a FIN, like a complete one.
 *
 * The wire: `u8 kind, u48 stream id, u32 code`, 11 bytes each, on the link handshake's TLS stream.
 */
export interface ControlFrame {
  /**
   * `reset`: the sender gave the stream up, both directions. `released`: it has seen the other's reset and let go.
   * `limit`: how many streams the other end may have open; said once, first.
   */
  readonly kind: ControlKind;
  /** QUIC stream id; 0 in `limit`. */
  readonly streamId: number;
  /** Reset code; 0 in `released`; the number of streams in `limit`. */
  readonly code: number;
}

export type ControlKind = "reset" | "released" | "limit";

/** Place + 1 is the number on the wire. */
const kinds: readonly ControlKind[] = ["reset", "released", "limit"];

export const controlFrameBytes = 11;

export function encodeControlFrames(frames: readonly ControlFrame[]): Uint8Array {
  const bytes = new Uint8Array(frames.length * controlFrameBytes);
  const view = new DataView(bytes.buffer);
  frames.forEach((frame, index) => {
    const at = index * controlFrameBytes;
    view.setUint8(at, kinds.indexOf(frame.kind) + 1);
    view.setUint16(at + 1, Math.floor(frame.streamId / 2 ** 32));
    view.setUint32(at + 3, frame.streamId >>> 0);
    view.setUint32(at + 7, frame.code >>> 0);
  });
  return bytes;
}

/** Frames out of a byte stream that may be cut anywhere. Holds at most one incomplete frame. */
export class ControlFrameParser {
  readonly #partial = new Uint8Array(controlFrameBytes);
  readonly #view = new DataView(this.#partial.buffer);
  #filled = 0;

  /** @throws {ProtocolError} an unknown kind of frame, or an id that is no bidirectional stream's */
  *push(chunk: Uint8Array): Generator<ControlFrame> {
    for (let at = 0; at < chunk.length;) {
      const taken = Math.min(controlFrameBytes - this.#filled, chunk.length - at);
      this.#partial.set(chunk.subarray(at, at + taken), this.#filled);
      this.#filled += taken;
      at += taken;
      if (this.#filled < controlFrameBytes) return;
      this.#filled = 0;
      yield this.#decode();
    }
  }

  #decode(): ControlFrame {
    const number = this.#view.getUint8(0);
    const kind = kinds[number - 1];
    const streamId = this.#view.getUint16(1) * 2 ** 32 + this.#view.getUint32(3);
    if (kind === undefined) {
      throw new ProtocolError(`Control frame of unknown kind ${number}`, { kind: number });
    }
    // RFC 9000, 2.1: bit 1 of the id marks a unidirectional stream; there are none here.
    if ((streamId & 2) !== 0) {
      throw new ProtocolError(`Control frame for ${streamId}, which is no bidirectional stream`);
    }
    return { kind, streamId, code: this.#view.getUint32(7) };
  }
}

import { ProtocolError, StreamResetError } from "../errors.ts";
import type { ControlFrame } from "./control_frames.ts";
import { QuicStream, type QuicStreamOwner } from "./quic_stream.ts";

export interface StreamRegistryOptions {
  readonly role: "dialler" | "acceptor";
  /** Streams of the peer that may be reset before they have arrived here. */
  readonly maxEarlyResets: number;
  /** Hands a frame to the control channel. */
  send(frame: ControlFrame): void;
  /** A stream opened here is gone, as QUIC counts it. */
  onOwnGone(): void;
  onBytesIn(count: number): void;
  onBytesOut(count: number): void;
}

/**
 * The streams of one session and the agreement about resets: a FIN means "complete" unless the peer was told otherwise before.
 *
 * Who resets sends `reset` and keeps its native halves until `released` comes back; who hears `reset` fails its end and lets go
 * at once. So a dropped half's FIN only ever arrives where nobody believes it.
 */
export class StreamRegistry implements QuicStreamOwner {
  readonly #options: StreamRegistryOptions;
  readonly #live = new Map<number, QuicStream>();
  /** Reset here; the peer has not said `released` yet. */
  readonly #leaving = new Map<number, QuicStream>();
  /** Reset by the peer before the stream itself arrived. */
  readonly #early = new Set<number>();
  /** Lowest id of a stream of the peer that has not arrived; they arrive in order. */
  #nextPeerId: number;
  #over: StreamResetError | undefined;

  constructor(options: StreamRegistryOptions) {
    this.#options = options;
    // RFC 9000, 2.1: the client's bidirectional streams are 0, 4, 8 ..., the server's 1, 5, 9 ... The dialler's stream 0 was the
    // link handshake's.
    this.#nextPeerId = options.role === "dialler" ? 1 : 4;
  }

  /** Streams neither ended nor let go. */
  get size(): number {
    return this.#live.size + this.#leaving.size;
  }

  /** Takes over a stream opened here. */
  opened(native: Deno.QuicBidirectionalStream): QuicStream {
    const stream = new QuicStream(native, this);
    if (this.#over !== undefined) this.#drop(stream, this.#over);
    else this.#live.set(stream.id, stream);
    return stream;
  }

  /** Takes over a stream the peer opened; undefined when the peer has given it up already. */
  arrived(native: Deno.QuicBidirectionalStream): QuicStream | undefined {
    const stream = this.opened(native);
    this.#nextPeerId = Math.max(this.#nextPeerId, stream.id + 4);
    if (!this.#early.delete(stream.id)) return stream;
    this.#live.delete(stream.id);
    this.#drop(stream, new StreamResetError("The peer reset the stream"));
    return undefined;
  }

  /** @throws {ProtocolError} more resets of streams that do not exist than streams may exist */
  receive(frame: ControlFrame): void {
    const { streamId, code } = frame;
    if (frame.kind === "released") {
      this.#letGo(streamId);
      return;
    }
    const live = this.#live.get(streamId);
    if (live !== undefined) {
      this.#live.delete(streamId);
      this.#drop(live, new StreamResetError("The peer reset the stream", code));
    } else if (this.#isPeers(streamId) && streamId >= this.#nextPeerId) {
      if (this.#early.size >= this.#options.maxEarlyResets) {
        throw new ProtocolError("The peer resets streams it has not opened", { streamId });
      }
      this.#early.add(streamId);
    }
    // Both ends reset at once: each knows now, so this end need not wait for `released` either.
    this.#letGo(streamId);
    this.#options.send({ kind: "released", streamId, code: 0 });
  }

  /** The session is over: so is everything on it. */
  failAll(error: StreamResetError): void {
    this.#over = error;
    for (const stream of [...this.#live.values(), ...this.#leaving.values()]) {
      this.#drop(stream, error);
    }
    this.#live.clear();
    this.#leaving.clear();
    this.#early.clear();
  }

  onReset(stream: QuicStream, code: number): void {
    if (this.#over !== undefined) {
      stream.release();
      return;
    }
    this.#leaving.set(stream.id, stream);
    this.#options.send({ kind: "reset", streamId: stream.id, code });
  }

  onEnd(stream: QuicStream, clean: boolean): void {
    this.#live.delete(stream.id);
    if (clean) this.#gone(stream.id);
  }

  onBytesIn(count: number): void {
    this.#options.onBytesIn(count);
  }

  onBytesOut(count: number): void {
    this.#options.onBytesOut(count);
  }

  #drop(stream: QuicStream, error: StreamResetError): void {
    stream.fail(error);
    stream.release();
    this.#gone(stream.id);
  }

  #letGo(streamId: number): void {
    const stream = this.#leaving.get(streamId);
    if (stream === undefined) return;
    this.#leaving.delete(streamId);
    stream.release();
    this.#gone(streamId);
  }

  #gone(streamId: number): void {
    if (!this.#isPeers(streamId)) this.#options.onOwnGone();
  }

  #isPeers(streamId: number): boolean {
    return (streamId & 1) === (this.#options.role === "dialler" ? 1 : 0);
  }
}

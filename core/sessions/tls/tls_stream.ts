import type { TLSSocket } from "node:tls";
import { errorText } from "../../errors/mod.ts";
import type { NodeCertificate } from "../../identity/types.ts";
import { StreamResetError } from "../errors.ts";
import type { ByteStream } from "../types.ts";
import type { StreamDuplex } from "./stream_duplex.ts";

/** A `ByteStream` inside TLS 1.3 whose two ends have proven who they are. */
export interface TlsStream extends ByteStream {
  /** The other end's certificate, validated against the network's own CA. */
  readonly peer: NodeCertificate;
}

/** Bytes decrypted and not yet read, beyond which nothing more is taken from below. */
const maxQueuedBytes = 256 * 1024;
/** Largest frame written at once: bounds what TLS encrypts in one go. */
const maxFrameBytes = 256 * 1024;

/**
 * The wire inside TLS: frames of `u32 length, bytes`; length 0 is the end of that direction.
 *
 * Why frames, when TLS has close_notify: node:tls reports a stream cut below it as the same `end` as a close_notify, and a relay
 * that cuts a stream must not be able to pass it off as complete. A cut without the end frame is a `StreamResetError` here.
 */
export class FramedTlsStream implements TlsStream {
  readonly peer: NodeCertificate;
  readonly closed: Promise<void>;
  readonly #socket: TLSSocket;
  readonly #duplex: StreamDuplex;
  readonly #inner: ByteStream;
  readonly #ended = Promise.withResolvers<void>();
  readonly #writeHeader = new Uint8Array(4);

  readonly #queue: Uint8Array[] = [];
  #queuedBytes = 0;
  #held = false;
  #wake: (() => void) | undefined;
  /** Bytes left of the frame being read. */
  #frameLeft = 0;
  /** Length prefix as far as it has come. */
  #header = 0;
  #headerBytes = 0;

  #over = false;
  #readEnded = false;
  #writeEnded: Promise<void> | undefined;
  #writeFinished = false;
  #failure: StreamResetError | undefined;
  #failWrite: ((error: unknown) => void) | undefined;

  /** Takes over a socket whose handshake is done; nothing may have listened to its data. */
  constructor(
    socket: TLSSocket,
    duplex: StreamDuplex,
    inner: ByteStream,
    peer: NodeCertificate,
  ) {
    this.#socket = socket;
    this.#duplex = duplex;
    this.#inner = inner;
    this.peer = peer;
    this.closed = this.#ended.promise;
    socket.on("error", (error: Error) => this.#fail(error));
    socket.on("end", () => this.#cut());
    socket.on("close", () => this.#close());
    socket.on("data", (chunk: Uint8Array<ArrayBuffer>) => this.#take(chunk));
  }

  async read(): Promise<Uint8Array | null> {
    for (;;) {
      const piece = this.#nextPiece();
      if (piece !== undefined) return piece;
      if (this.#failure !== undefined) throw this.#failure;
      if (this.#over) throw this.#fail(new StreamResetError("The stream was cut before its end"));
      await new Promise<void>((resolve) => this.#wake = resolve);
    }
  }

  async write(chunk: Uint8Array): Promise<void> {
    for (let at = 0; at < chunk.length; at += maxFrameBytes) {
      await this.#writeFrame(
        chunk.length <= maxFrameBytes ? chunk : chunk.subarray(at, at + maxFrameBytes),
      );
    }
  }

  closeWrite(): Promise<void> {
    this.#writeEnded ??= this.#finishWriting();
    return this.#writeEnded;
  }

  reset(code = 0): void {
    if (this.#failure !== undefined || (this.#readEnded && this.#writeFinished)) return;
    this.#fail(new StreamResetError("The stream was reset here", code));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.reset();
    await this.closed;
  }

  #writeFrame(chunk: Uint8Array): Promise<void> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    if (this.#writeEnded !== undefined) {
      return Promise.reject(new StreamResetError("Written after closeWrite()"));
    }
    new DataView(this.#writeHeader.buffer).setUint32(0, chunk.length);
    return new Promise((resolve, reject) => {
      this.#failWrite = reject;
      const socket = this.#socket;
      // Corked, header and body become one encryption and no record is spent on four bytes.
      socket.cork();
      socket.write(this.#writeHeader);
      socket.write(chunk, (error) => {
        this.#failWrite = undefined;
        if (error) reject(this.#fail(error));
        else resolve();
      });
      socket.uncork();
    });
  }

  async #finishWriting(): Promise<void> {
    if (this.#failure !== undefined) throw this.#failure;
    await new Promise<void>((resolve, reject) => {
      this.#failWrite = reject;
      this.#socket.write(new Uint8Array(4), (error) => error ? reject(error) : resolve());
    });
    this.#failWrite = undefined;
    // Not `socket.end()`: it does not end a Duplex under TLS in Deno 2.9, and the end frame says more than a close_notify.
    await this.#inner.closeWrite();
    this.#writeFinished = true;
    this.#settle();
  }

  #take(chunk: Uint8Array<ArrayBuffer>): void {
    if (this.#readEnded || this.#failure !== undefined) return;
    // Not the Buffer itself: its `slice()` shares memory, a `Uint8Array`'s copies, and readers rely on the latter.
    this.#queue.push(new Uint8Array(chunk.buffer, chunk.byteOffset, chunk.length));
    this.#queuedBytes += chunk.length;
    if (this.#queuedBytes >= maxQueuedBytes && !this.#held) {
      this.#held = true;
      this.#duplex.hold();
    }
    this.#signal();
  }

  /** The next run of payload bytes, null at the end, undefined when more must come first. */
  #nextPiece(): Uint8Array | null | undefined {
    if (this.#readEnded) return null;
    for (;;) {
      const chunk = this.#queue[0];
      if (chunk === undefined) return undefined;
      if (this.#frameLeft === 0) {
        const used = this.#readHeader(chunk);
        if (used === chunk.length) this.#queue.shift();
        else this.#queue[0] = chunk.subarray(used);
        if (this.#headerBytes < 4) continue;
        this.#headerBytes = 0;
        this.#frameLeft = this.#header >>> 0;
        if (this.#frameLeft === 0) {
          this.#endReading();
          return null;
        }
        continue;
      }
      if (chunk.length <= this.#frameLeft) {
        this.#frameLeft -= chunk.length;
        this.#queue.shift();
        this.#queuedBytes -= chunk.length;
        this.#refill();
        return chunk;
      }
      const piece = chunk.subarray(0, this.#frameLeft);
      this.#queue[0] = chunk.subarray(this.#frameLeft);
      this.#queuedBytes -= this.#frameLeft;
      this.#frameLeft = 0;
      return piece;
    }
  }

  #readHeader(chunk: Uint8Array): number {
    let used = 0;
    while (this.#headerBytes < 4 && used < chunk.length) {
      this.#header = (this.#header << 8) | (chunk[used++] as number);
      this.#headerBytes++;
    }
    this.#queuedBytes -= used;
    return used;
  }

  #refill(): void {
    if (!this.#held || this.#queuedBytes > maxQueuedBytes / 2) return;
    this.#held = false;
    this.#duplex.release();
  }

  #endReading(): void {
    this.#readEnded = true;
    this.#queue.length = 0;
    // Keeps taking what is below, so that the stream under TLS ends too.
    this.#duplex.release();
    this.#settle();
  }

  /** Nothing more will come from below. What is queued is still read; if the end frame is not in it, somebody cut the stream. */
  #cut(): void {
    this.#over = true;
    this.#signal();
    this.#settle();
  }

  /** Both directions have ended in good order; the socket goes once the stream under it has ended too. */
  #settle(): void {
    if (!this.#readEnded || !this.#writeFinished) return;
    this.#ended.resolve();
    if (this.#over) this.#socket.destroy();
  }

  #close(): void {
    this.#cut();
    this.#failWrite?.(this.#failure ?? new StreamResetError("The stream under TLS ended"));
    this.#ended.resolve();
  }

  #fail(cause: unknown): StreamResetError {
    if (this.#failure === undefined) {
      this.#failure = cause instanceof StreamResetError
        ? cause
        : new StreamResetError(`TLS failed: ${errorText(cause)}`, 0, cause);
      this.#queue.length = 0;
      this.#signal();
      this.#failWrite?.(this.#failure);
      this.#inner.reset(this.#failure.resetCode);
      this.#socket.destroy();
    }
    return this.#failure;
  }

  #signal(): void {
    const wake = this.#wake;
    this.#wake = undefined;
    wake?.();
  }
}

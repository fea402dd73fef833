import type { LogFn } from "../plugin/types.ts";
import type { ByteStream } from "../sessions/types.ts";
import { BufferedStream, frame32, readFrame32, streamKind } from "../streams/mod.ts";

/** First byte of a control message. Unknown kinds are ignored, so a newer peer may say more. */
export const controlKind = { gossip: 1, observedAddress: 2, networkConfig: 3, caRoll: 4 } as const;

/** Largest control message; gossip splits below it. */
export const maxControlMessage = 1024 * 1024;
/** What may wait to be sent on one link; beyond it messages are dropped (gossip repeats what was not acknowledged). */
export const maxControlQueue = 4 * 1024 * 1024;

/** Control messages to and from one neighbour over one session. Ends when its stream does. */
export class ControlChannel {
  readonly #stream: BufferedStream;
  readonly #queue: Uint8Array[] = [];
  #queued = 0;
  #wake: (() => void) | undefined;
  #ended = false;
  /** Messages given up because the queue was full. */
  dropped = 0;

  constructor(stream: ByteStream) {
    this.#stream = stream instanceof BufferedStream ? stream : new BufferedStream(stream);
  }

  /** The dialler opens the channel and says what the stream is. */
  static async open(stream: ByteStream): Promise<ControlChannel> {
    await stream.write(Uint8Array.of(streamKind.control));
    return new ControlChannel(stream);
  }

  /** False when the queue is full or the channel has ended. */
  send(kind: number, body: Uint8Array): boolean {
    if (this.#ended || this.#queued + body.length > maxControlQueue) {
      this.dropped++;
      return false;
    }
    const message = new Uint8Array(body.length + 1);
    message[0] = kind;
    message.set(body, 1);
    const framed = frame32(message);
    this.#queue.push(framed);
    this.#queued += framed.length;
    this.#wake?.();
    return true;
  }

  /** Carries messages until the stream ends; never rejects. */
  async run(receive: (kind: number, body: Uint8Array) => void, log: LogFn): Promise<void> {
    const writing = this.#writeLoop();
    try {
      for (;;) {
        const message = await readFrame32(this.#stream, maxControlMessage);
        const kind = message[0];
        if (kind !== undefined) receive(kind, message.subarray(1));
      }
    } catch (error) {
      log("debug", "control channel ended", { error: String(error) });
    } finally {
      this.close();
      await writing;
    }
  }

  async #writeLoop(): Promise<void> {
    try {
      while (!this.#ended) {
        const next = this.#queue.shift();
        if (next === undefined) {
          const { promise, resolve } = Promise.withResolvers<void>();
          this.#wake = resolve;
          await promise;
          this.#wake = undefined;
          continue;
        }
        await this.#stream.write(next);
        this.#queued -= next.length;
      }
    } catch {
      // The stream is gone; the reading side reports why.
      this.#ended = true;
    }
  }

  close(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#stream.reset();
    this.#wake?.();
  }
}

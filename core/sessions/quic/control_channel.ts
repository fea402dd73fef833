import { ProtocolError } from "../errors.ts";
import type { ByteStream } from "../types.ts";
import { type ControlFrame, ControlFrameParser, encodeControlFrames } from "./control_frames.ts";

/** Frames that wait for the peer to read: far more than its streams can cause. Beyond, the session ends. */
const maxWaitingFrames = 16_384;
/** Frames sent in one write. */
const maxFramesPerWrite = 1_024;

/**
 * The link handshake's stream for the rest of the session. Writes are gathered while one is under way.
 */
export class ControlChannel {
  readonly #stream: ByteStream;
  readonly #waiting: ControlFrame[] = [];
  readonly #onFailure: (error: unknown) => void;
  #sending = false;

  constructor(stream: ByteStream, onFailure: (error: unknown) => void) {
    this.#stream = stream;
    this.#onFailure = onFailure;
  }

  /** Reads until the stream ends; a failure, or an end the session did not decide, goes to `onFailure`. */
  async run(receive: (frame: ControlFrame) => void): Promise<void> {
    const parser = new ControlFrameParser();
    try {
      for (;;) {
        const chunk = await this.#stream.read();
        if (chunk === null) throw new ProtocolError("The peer ended the control stream");
        for (const frame of parser.push(chunk)) receive(frame);
      }
    } catch (error) {
      this.#onFailure(error);
    }
  }

  send(frame: ControlFrame): void {
    if (this.#waiting.length >= maxWaitingFrames) {
      this.#onFailure(new ProtocolError("The peer does not read the control stream"));
      return;
    }
    this.#waiting.push(frame);
    if (!this.#sending) this.#flush();
  }

  close(): void {
    this.#waiting.length = 0;
    this.#stream.reset();
  }

  async #flush(): Promise<void> {
    this.#sending = true;
    try {
      while (this.#waiting.length > 0) {
        await this.#stream.write(
          encodeControlFrames(this.#waiting.splice(0, maxFramesPerWrite)),
        );
      }
    } catch (error) {
      this.#onFailure(error);
    } finally {
      this.#sending = false;
    }
  }
}

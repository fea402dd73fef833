import { errorCode, errorText, PulseError } from "../../../core/errors/mod.ts";
import type { NodeId } from "../../../core/identity/mod.ts";
import type { ByteStream } from "../../../core/sessions/types.ts";
import { DatagramStream } from "../../../core/streams/mod.ts";
import { decodeLabelMessage, encodeLabelMessage, type LabelMessage } from "./label_message.ts";

/** Protocol of the streams that set up labelled paths, one hop each. */
export const labelProtocol = "tun.label";

/** How it is seen that a relay has died, in milliseconds. */
export interface LeaseTimes {
  /** Between two signs of life asked of it. */
  readonly pingMs: number;
  /** Silent for so long it is in doubt: its path is left where there is another one. */
  readonly doubtMs: number;
  /** Silent for so long it is dead: the label does not hold any more. */
  readonly deadMs: number;
}

export const defaultLeaseTimes: LeaseTimes = { pingMs: 300, doubtMs: 750, deadMs: 5_000 };
/** A relay asks the next one in turn: this long the first may take. */
const answerMs = 8_000;

/** What is asked of a relay. */
export interface LabelAsk {
  readonly path: readonly NodeId[];
  /** The relay's place on it. */
  readonly position: number;
  readonly receiver: number;
}

/** A label that a relay has given out; it holds until `ended`. */
export class LabelLease {
  readonly label: number;
  /** Resolves with the reason when it does not hold any more; never rejects. */
  readonly ended: Promise<string>;
  readonly #stream: ByteStream;
  #doubtful = false;

  /**
   * Asks over a stream that has just been opened; the stream is the lease's from then on.
   * @param doubted called whenever `doubtful` changes
   * @throws {PulseError} TUN_LABEL_REFUSED, LABEL_MESSAGE_INVALID
   */
  static async ask(
    stream: ByteStream,
    ask: LabelAsk,
    doubted: () => void,
    times: LeaseTimes = defaultLeaseTimes,
  ): Promise<LabelLease> {
    const messages = new DatagramStream(stream);
    const timer = setTimeout(() => stream.reset(), answerMs);
    try {
      const { path, position, receiver } = ask;
      await messages.send(encodeLabelMessage(["ask", [...path], position, receiver]));
      const answer = await receive(messages);
      if (answer?.[0] === "label") {
        return new LabelLease(stream, messages, answer[1], doubted, times);
      }
      const why = answer?.[0] === "refuse" ? answer[2] : "it gave no answer";
      throw new PulseError(
        "TUN_LABEL_REFUSED",
        `The relay ${path[position]} does not carry packets to ${path.at(-1)}: ${why}`,
        { relay: path[position]!, reason: answer?.[0] === "refuse" ? answer[1] : "" },
      );
    } catch (error) {
      stream.reset();
      throw error;
    } finally {
      clearTimeout(timer);
    }
  }

  private constructor(
    stream: ByteStream,
    messages: DatagramStream,
    label: number,
    doubted: () => void,
    times: LeaseTimes,
  ) {
    this.#stream = stream;
    this.label = label;
    this.ended = this.#keepAlive(messages, doubted, times);
  }

  /** The relay, or one behind it, has not answered lately. */
  get doubtful(): boolean {
    return this.#doubtful;
  }

  /** Gives the label back. */
  close(): void {
    this.#stream.reset();
  }

  /** Asks for signs of life until there is none. */
  async #keepAlive(
    messages: DatagramStream,
    doubted: () => void,
    { pingMs, doubtMs, deadMs }: LeaseTimes,
  ): Promise<string> {
    const stream = this.#stream;
    let heardAt = performance.now();
    let askedAt = heardAt;
    let sending = Promise.resolve();
    const ping = encodeLabelMessage(["ping"]);
    const doubt = (is: boolean) => {
      if (this.#doubtful === is) return;
      this.#doubtful = is;
      doubted();
    };
    const timer = setInterval(() => {
      const now = performance.now();
      // A machine that slept, or was too busy to ask, has not been left without an answer.
      if (now - askedAt > 2 * pingMs) heardAt += now - askedAt - pingMs;
      askedAt = now;
      if (now - heardAt > deadMs) return stream.reset();
      doubt(now - heardAt > doubtMs);
      // One that cannot be sent is one that is not answered.
      sending = sending.then(() => messages.send(ping)).catch(() => {});
    }, pingMs);
    try {
      while (await receive(messages) !== null) {
        heardAt = performance.now();
        doubt(false);
      }
      return "the relay has ended the path";
    } catch (error) {
      return `the relay is gone: ${errorCode(error, "STREAM_RESET")} ${errorText(error)}`;
    } finally {
      clearInterval(timer);
      stream.reset();
      await sending;
    }
  }
}

async function receive(messages: DatagramStream): Promise<LabelMessage | null> {
  const bytes = await messages.receive();
  return bytes === null ? null : decodeLabelMessage(bytes);
}

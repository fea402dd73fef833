import type { NodeId } from "../identity/types.ts";
import { BufferedStream } from "./buffered_stream.ts";
import { StreamError, streamStatusCode } from "./errors.ts";
import { readFrame16 } from "./framed_io.ts";
import { decodeAnswer, maxStatusBytes } from "./stream_header.ts";

/**
 * Reads the answer to a request.
 * @throws {StreamError} the answer is not STREAM_OK; the message names the hop that refused
 */
export async function expectOk(stream: BufferedStream, destination: NodeId): Promise<void> {
  const answer = decodeAnswer(await readFrame16(stream, maxStatusBytes));
  if (answer.status === 0) return;
  const at = answer.hop === undefined || answer.hop === destination
    ? ""
    : ` (said relay ${answer.hop})`;
  throw new StreamError(streamStatusCode(answer.status), `${answer.reason}${at}`, {
    hop: answer.hop,
    destination,
  });
}

/**
 * A relayed stream whose first frame is a relay's or the destination's answer: the end-to-end handshake starts at once, without
 * a round trip for the answer, which is taken off the front when it arrives. `failure` holds a refusal, which says more than the
 * broken handshake it causes.
 */
export class AnsweredStream extends BufferedStream {
  readonly #destination: NodeId;
  #answered = false;
  failure: StreamError | undefined;

  constructor(inner: BufferedStream, destination: NodeId) {
    super(inner);
    this.#destination = destination;
  }

  override async read(): Promise<Uint8Array | null> {
    if (!this.#answered) {
      this.#answered = true;
      try {
        await expectOk(this, this.#destination);
      } catch (error) {
        if (error instanceof StreamError) this.failure = error;
        throw error;
      }
    }
    return await super.read();
  }
}

type Native = Deno.QuicBidirectionalStream;

/**
 * The streams the peer opens, one at a time. `peek()` starts waiting for the next without taking it: the link handshake watches
 * for streams that must not come yet, and the session gets what came.
 */
export class IncomingStreams {
  readonly #reader: ReadableStreamDefaultReader<Native>;
  #ahead: Promise<Native | null> | undefined;

  constructor(connection: Pick<Deno.QuicConn, "incomingBidirectionalStreams">) {
    this.#reader = connection.incomingBidirectionalStreams.getReader();
  }

  /** The next stream, null once the connection is over. One call at a time. */
  async next(): Promise<Native | null> {
    const next = this.peek();
    try {
      return await next;
    } finally {
      this.#ahead = undefined;
    }
  }

  peek(): Promise<Native | null> {
    this.#ahead ??= this.#reader.read().then(
      (result) => result.done ? null : result.value,
      // The connection failed; its `closed` says why.
      () => null,
    );
    return this.#ahead;
  }
}

import { errorText } from "../../errors/mod.ts";
import { SessionClosedError, StreamLimitError } from "../errors.ts";

type Native = Deno.QuicBidirectionalStream;

interface Waiter {
  readonly give: (stream: Native) => void;
  readonly fail: (error: unknown) => void;
}

/** Callers that may wait for the peer's limit at once. */
const maxWaiters = 1_024;

/**
 * Opens native streams within the peer's limit.
 *
 * Two limits stop it: the peer's word (`setLimit`), counted here, and QUIC's own credit. The word is the lower one, because quinn
 * hands credit out in eighths of the whole: at QUIC's limit a stream that ends does not make room for the next.
 *
 * Deno's wait for credit cannot be given up, so there is at most one such wait, and whoever gives up leaves only the queue: what
 * arrives late goes to the next caller.
 */
export class StreamOpener {
  readonly #connection: Pick<Deno.QuicConn, "createBidirectionalStream">;
  readonly #waiters = new Set<Waiter>();
  #limit = Infinity;
  #open = 0;
  #spare: Native | undefined;
  #serving = false;
  #over: SessionClosedError | undefined;

  constructor(connection: Pick<Deno.QuicConn, "createBidirectionalStream">) {
    this.#connection = connection;
  }

  /**
   * @throws {SessionClosedError}
   * @throws {StreamLimitError} no room until `signal` aborted
   */
  async open(signal?: AbortSignal): Promise<Native> {
    signal?.throwIfAborted();
    if (this.#over !== undefined) throw this.#over;
    if (this.#waiters.size === 0 && this.#open < this.#limit && this.#spare === undefined) {
      this.#open++;
      try {
        return await this.#connection.createBidirectionalStream();
      } catch (error) {
        this.#open--;
        // RangeError is Deno's word for "no credit now".
        if (!(error instanceof RangeError)) throw closed(error);
      }
    }
    return await this.#wait(signal);
  }

  /** How many streams opened here the peer allows at once. */
  setLimit(limit: number): void {
    this.#limit = limit;
    this.#serve();
  }

  /** A stream opened here is gone. */
  gone(): void {
    this.#open--;
    if (this.#waiters.size > 0) this.#serve();
  }

  /** The session is over: nobody waits any longer. */
  close(error: SessionClosedError): void {
    this.#over = error;
    for (const waiter of this.#waiters) waiter.fail(error);
  }

  async #wait(signal: AbortSignal | undefined): Promise<Native> {
    if (this.#waiters.size >= maxWaiters) {
      throw new StreamLimitError(`${maxWaiters} callers wait for a stream already`);
    }
    const { promise, resolve, reject } = Promise.withResolvers<Native>();
    const waiter: Waiter = { give: resolve, fail: reject };
    const abort = () => {
      this.#waiters.delete(waiter);
      reject(
        new StreamLimitError("The peer's stream limit stayed exhausted until the time was up"),
      );
    };
    signal?.addEventListener("abort", abort, { once: true });
    this.#waiters.add(waiter);
    this.#serve();
    try {
      return await promise;
    } finally {
      this.#waiters.delete(waiter);
      signal?.removeEventListener("abort", abort);
    }
  }

  async #serve(): Promise<void> {
    if (this.#serving) return;
    this.#serving = true;
    try {
      while (this.#waiters.size > 0 && this.#open < this.#limit) {
        const stream = this.#spare ??
          await this.#connection.createBidirectionalStream({ waitUntilAvailable: true });
        this.#spare = stream;
        const [first] = this.#waiters;
        // Everybody gave up meanwhile, or the peer's word came in below what is open.
        if (first === undefined || this.#open >= this.#limit) continue;
        this.#spare = undefined;
        this.#open++;
        this.#waiters.delete(first);
        first.give(stream);
      }
    } catch (error) {
      for (const waiter of this.#waiters) waiter.fail(closed(error));
    } finally {
      this.#serving = false;
    }
  }
}

function closed(error: unknown): SessionClosedError {
  return new SessionClosedError(`The session is over: ${errorText(error)}`, {}, error);
}

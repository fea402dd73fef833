import type { ByteStream } from "../sessions/types.ts";
import { StreamError } from "./errors.ts";

/**
 * Runs a conversation on a stream under a signal: when the signal aborts, the stream is reset, which ends every pending read and
 * write, and the error says so instead of "reset".
 */
export async function underSignal<T>(
  stream: ByteStream,
  signal: AbortSignal,
  what: string,
  conversation: () => Promise<T>,
): Promise<T> {
  const abort = () => stream.reset();
  if (signal.aborted) abort();
  else signal.addEventListener("abort", abort, { once: true });
  try {
    return await conversation();
  } catch (error) {
    stream.reset();
    if (signal.aborted) {
      throw new StreamError("STREAM_TIMEOUT", `${what} was given up in time`, {}, error);
    }
    throw error;
  } finally {
    signal.removeEventListener("abort", abort);
  }
}

/** A signal that fires after `ms` or with `outer`, and whose timer ends with the scope. */
export class Deadline implements Disposable {
  readonly signal: AbortSignal;
  readonly #timer: ReturnType<typeof setTimeout>;
  constructor(ms: number, outer?: AbortSignal) {
    const controller = new AbortController();
    this.#timer = setTimeout(() => controller.abort(), ms);
    this.signal = outer === undefined
      ? controller.signal
      : AbortSignal.any([controller.signal, outer]);
  }
  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
  }
}

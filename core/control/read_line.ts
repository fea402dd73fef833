import type { ByteStream } from "../sessions/types.ts";
import { ControlError } from "./errors.ts";

/** A first line, and the stream as it goes on behind it. */
export interface LineAndRest {
  readonly line: string;
  /** Begins with the bytes that came along with the line: they are payload. */
  readonly rest: ByteStream;
}

/**
 * Reads up to the first newline.
 * @param limit bytes, newline included
 * @throws {ControlError} LINE_INVALID the stream ended first, the line is too long or not UTF-8
 */
export async function readLine(stream: ByteStream, limit: number): Promise<LineAndRest> {
  const held = new Uint8Array(limit);
  let length = 0;
  for (;;) {
    const chunk = await stream.read();
    if (chunk === null) throw invalid(`the connection ended after ${length} bytes of it`);
    const end = chunk.indexOf(10);
    const taken = end === -1 ? chunk : chunk.subarray(0, end);
    if (length + taken.length >= limit) throw invalid(`it is longer than ${limit} bytes`);
    held.set(taken, length);
    length += taken.length;
    if (end === -1) continue;
    const rest = chunk.subarray(end + 1);
    return {
      line: decode(held.subarray(0, length)),
      rest: rest.length === 0 ? stream : new PrefixedStream(rest, stream),
    };
  }
}

function decode(bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (cause) {
    throw invalid("it is not UTF-8", cause);
  }
}

function invalid(why: string, cause?: unknown): ControlError {
  return new ControlError("LINE_INVALID", `The first line cannot be read: ${why}`, {}, cause);
}

/** A stream with bytes put back in front of it. Valid until its first read, as every chunk. */
class PrefixedStream implements ByteStream {
  #prefix: Uint8Array | null;
  readonly #inner: ByteStream;

  constructor(prefix: Uint8Array, inner: ByteStream) {
    this.#prefix = prefix;
    this.#inner = inner;
  }

  read(): Promise<Uint8Array | null> {
    if (this.#prefix === null) return this.#inner.read();
    const prefix = this.#prefix;
    this.#prefix = null;
    return Promise.resolve(prefix);
  }

  write(chunk: Uint8Array): Promise<void> {
    return this.#inner.write(chunk);
  }

  closeWrite(): Promise<void> {
    return this.#inner.closeWrite();
  }

  reset(code?: number): void {
    this.#prefix = null;
    this.#inner.reset(code);
  }

  get closed(): Promise<void> {
    return this.#inner.closed;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#inner[Symbol.asyncDispose]();
  }
}

import { ControlError } from "./errors.ts";

/** One event for a follower (`text/event-stream`, WHATWG HTML, section 9.2). */
export interface StreamEvent {
  /** Where a follower that comes back goes on; see `lastEventId()`. */
  readonly id: string;
  readonly type: string;
  /** Sent as one line of JSON. */
  readonly data: unknown;
}

export interface EventStreamOptions {
  /** A comment is sent when nothing else was for so long, milliseconds. @default 15000 */
  readonly heartbeatMs?: number;
  /** Bytes that may wait for a slow follower; no more is taken from the source then. @default 65536 */
  readonly bufferBytes?: number;
}

/** How long a browser waits before it comes back. */
const retryMs = 2_000;
const word = /^[!-~]{1,128}$/;

/**
 * Answers with the events of a source until it ends, the follower leaves or the signal is aborted. A follower that has not read anything
 * for two heartbeats is cut off: it comes back with `Last-Event-ID`, and meanwhile holds nothing.
 *
 * @param source is asked for the next event only when there is room for it, so what it keeps meanwhile is its own to bound. It must end
 * soon after the same signal is aborted: its `return()` waits for a `next()` that is under way
 * @param signal of the node's stop; a follower that leaves is noticed by itself
 */
export function eventStream(
  source: AsyncIterable<StreamEvent>,
  signal: AbortSignal,
  options: EventStreamOptions = {},
): Response {
  const body = new ReadableStream(
    new EventSource(source, signal, options.heartbeatMs ?? 15_000),
    new ByteLengthQueuingStrategy({ highWaterMark: options.bufferBytes ?? 64 * 1024 }),
  );
  return new Response(body, { headers: { "content-type": "text/event-stream; charset=utf-8" } });
}

/**
 * The id of the last event a returning follower has seen; null for a new one.
 * @throws {ControlError} HEADER_INVALID
 */
export function lastEventId(headers: Headers): string | null {
  const id = headers.get("last-event-id");
  if (id === null || word.test(id)) return id;
  throw new ControlError(
    "HEADER_INVALID",
    "Last-Event-ID is not the id of an event: send it as it came, or not at all",
  );
}

class EventSource implements UnderlyingDefaultSource<Uint8Array> {
  readonly #source: AsyncIterator<StreamEvent>;
  readonly #signal: AbortSignal;
  readonly #heartbeatMs: number;
  readonly #encoder = new TextEncoder();
  readonly #abort = () => this.#end();
  #controller: ReadableStreamDefaultController<Uint8Array> | undefined;
  #timer: ReturnType<typeof setInterval> | undefined;
  #idle = true;
  #stalled = 0;
  #over = false;

  constructor(source: AsyncIterable<StreamEvent>, signal: AbortSignal, heartbeatMs: number) {
    this.#source = source[Symbol.asyncIterator]();
    this.#signal = signal;
    this.#heartbeatMs = heartbeatMs;
  }

  start(controller: ReadableStreamDefaultController<Uint8Array>): void {
    this.#controller = controller;
    this.#timer = setInterval(() => this.#beat(), this.#heartbeatMs);
    this.#signal.addEventListener("abort", this.#abort, { once: true });
    this.#send(`retry: ${retryMs}\n\n`);
    if (this.#signal.aborted) this.#end();
  }

  async pull(): Promise<void> {
    this.#stalled = 0;
    try {
      const next = await this.#source.next();
      if (next.done === true) this.#end();
      else if (!this.#over) this.#send(formatEvent(next.value));
    } catch (error) {
      const left = this.#over || this.#signal.aborted;
      this.#release();
      // Ending was its reason to fail; else the follower learns from the broken connection that there was more.
      if (!left) throw error;
    }
  }

  cancel(): void {
    this.#end();
  }

  #beat(): void {
    const room = this.#controller?.desiredSize ?? 0;
    if (room <= 0 && ++this.#stalled >= 2) return this.#end();
    if (room > 0 && this.#idle) this.#send(": \n\n");
    this.#idle = true;
  }

  #send(text: string): void {
    this.#idle = false;
    this.#controller?.enqueue(this.#encoder.encode(text));
  }

  #end(): void {
    if (this.#over) return;
    this.#release();
    try {
      this.#controller?.close();
    } catch (error) {
      // A follower that left has closed it already.
      if (!(error instanceof TypeError)) throw error;
    }
  }

  #release(): void {
    if (this.#over) return;
    this.#over = true;
    clearInterval(this.#timer);
    this.#signal.removeEventListener("abort", this.#abort);
    this.#source.return?.().catch(() => {
      // Nobody is left to hear how the source ended.
    });
  }
}

/** @throws {ControlError} EVENT_INVALID an id or type with a line break would forge further events */
function formatEvent({ id, type, data }: StreamEvent): string {
  if (!word.test(id) || !word.test(type)) {
    throw new ControlError(
      "EVENT_INVALID",
      "An event's id and type must be 1 to 128 visible characters",
    );
  }
  return `id: ${id}\nevent: ${type}\ndata: ${JSON.stringify(data) ?? "null"}\n\n`;
}

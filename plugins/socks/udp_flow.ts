import { errorText } from "../../core/errors/mod.ts";
import type { LogFn } from "../../core/plugin/types.ts";
import type { ByteStream } from "../../core/sessions/types.ts";
import { DatagramStream } from "../../core/streams/datagram_stream.ts";

/** What waits for the stream; beyond it datagrams are lost, as they would be in a router's queue. */
const maxQueued = 64;
const maxQueuedBytes = 64 * 1024;
/** A destination that could not be had is not asked for again with every datagram. */
const holdOffMs = 1_000;

export interface UdpFlowOptions {
  readonly open: (signal: AbortSignal) => Promise<ByteStream>;
  /** A datagram that came back. */
  readonly deliver: (payload: Uint8Array) => Promise<void>;
  readonly log: LogFn;
}

/** Datagrams between one client and one destination, on one stream that is opened by the first of them. */
export class UdpFlow implements AsyncDisposable {
  readonly #options: UdpFlowOptions;
  readonly #stop = new AbortController();
  readonly #done: Promise<void>;
  readonly #queue: Uint8Array[] = [];
  #queued = 0;
  #wake: (() => void) | undefined;

  constructor(options: UdpFlowOptions) {
    this.#options = options;
    this.#done = this.#run();
  }

  /** Resolves when the flow is over and its place is free; never rejects. */
  get done(): Promise<void> {
    return this.#done;
  }

  /** Takes a copy of one datagram; false: it was lost because too many wait. */
  offer(payload: Uint8Array): boolean {
    if (this.#queue.length >= maxQueued || this.#queued + payload.length > maxQueuedBytes) {
      return false;
    }
    this.#queue.push(payload.slice());
    this.#queued += payload.length;
    this.#wake?.();
    return true;
  }

  async #run(): Promise<void> {
    const { signal } = this.#stop;
    const { open, log } = this.#options;
    let stream: ByteStream;
    try {
      stream = await open(signal);
    } catch (error) {
      // UDP has no way to say why; the log has.
      log("info", "datagrams cannot be carried", { error: errorText(error) });
      return await pause(holdOffMs, signal);
    }
    const end = () => {
      stream.reset();
      this.#wake?.();
    };
    if (signal.aborted) end();
    else signal.addEventListener("abort", end, { once: true });
    void stream.closed.then(end);
    const datagrams = new DatagramStream(stream);
    try {
      await Promise.all([this.#send(datagrams, stream), this.#receive(datagrams)]);
    } catch (error) {
      log("debug", "datagram flow ended", { error: errorText(error) });
    } finally {
      signal.removeEventListener("abort", end);
      end();
    }
  }

  async #send(datagrams: DatagramStream, stream: ByteStream): Promise<void> {
    let over = false;
    void stream.closed.then(() => over = true);
    while (!over && !this.#stop.signal.aborted) {
      if (this.#queue.length === 0) {
        await new Promise<void>((resolve) => this.#wake = resolve);
        this.#wake = undefined;
        continue;
      }
      const batch = this.#queue.splice(0);
      this.#queued = 0;
      await datagrams.send(...batch);
    }
  }

  async #receive(datagrams: DatagramStream): Promise<void> {
    for (;;) {
      const payload = await datagrams.receive();
      // The far side gave the flow up: nothing was said for long.
      if (payload === null) return this.#stop.abort();
      await this.#options.deliver(payload);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await this.#done;
  }
}

/** Waits, or less when the signal aborts. */
function pause(ms: number, signal: AbortSignal): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  if (signal.aborted) return Promise.resolve();
  const timer = setTimeout(resolve, ms);
  const wake = () => resolve();
  signal.addEventListener("abort", wake, { once: true });
  return promise.finally(() => {
    clearTimeout(timer);
    signal.removeEventListener("abort", wake);
  });
}

import { errorText } from "../../../core/errors/mod.ts";
import type { LogFn } from "../../../core/plugin/types.ts";
import type { ByteStream } from "../../../core/sessions/types.ts";
import { DatagramStream } from "../../../core/streams/mod.ts";
import { sleep } from "../sleep.ts";
import { decodeHello, encodeHello, type Hello } from "./hello_message.ts";
import { type KeyAction, KeyAgreement, type KeyAgreementOptions } from "./key_agreement.ts";

/** Protocol of the stream on which two ends agree on keys. */
export const keysProtocol = "tun.keys";

/** Waits before the stream is opened again; the last holds for good. */
const retryMs = [250, 500, 1_000, 2_000, 5_000, 15_000, 30_000];
/** A stream that held for so long was a good one: the waits begin anew. */
const stableMs = 10_000;
/** Offers without an answer, one after the other, until the stream is taken for dead. */
const maxUnanswered = 3;

export interface KeyExchangeOptions {
  readonly agreement: KeyAgreementOptions;
  /** What this end says of itself. */
  readonly hello: Hello;
  /** Opens the stream; only where this end is the one that offers. @throws {PulseError} */
  open(signal: AbortSignal): Promise<ByteStream>;
  /** Everything but `send`, in its order. */
  act(action: Exclude<KeyAction, { readonly do: "send" }>): void;
  /** What the other end says of itself. */
  helloed(hello: Hello): void;
  /** The other end says hello within this time. @default 3000 */
  readonly helloMs?: number;
  /** Monotonic milliseconds. */
  readonly now: () => number;
  readonly log: LogFn;
}

/** Drives the key agreement with one peer over a stream that is opened again whenever it breaks. */
export class KeyExchange implements Disposable {
  readonly #options: KeyExchangeOptions;
  readonly #agreement: KeyAgreement;
  readonly #stop = new AbortController();
  #channel: { readonly stream: ByteStream; readonly messages: DatagramStream } | undefined;
  #sending = Promise.resolve();
  #sealed = 0;
  #failures = 0;
  /** Ends a wait before the stream is opened again. */
  #hurry = new AbortController();

  constructor(options: KeyExchangeOptions) {
    this.#options = options;
    this.#agreement = new KeyAgreement(options.agreement);
    if (options.agreement.initiator) void this.#keepOpen();
  }

  /** Serves a stream that the other end has opened; it takes the place of an earlier one. Never rejects. */
  async accept(stream: ByteStream): Promise<void> {
    if (this.#options.agreement.initiator || this.#stop.signal.aborted) return stream.reset();
    await this.#run(stream);
  }

  /** What has kept the stream from being opened may be over: it is tried again now. */
  retry(): void {
    this.#failures = 0;
    this.#hurry.abort();
  }

  /** To be called each second. */
  tick(): void {
    this.#act(this.#agreement.tick(this.#options.now(), this.#sealed));
    if (this.#agreement.unanswered > maxUnanswered) this.#channel?.stream.reset();
  }

  /** The loop has authenticated a segment under this epoch. */
  heard(epoch: number): void {
    this.#act(this.#agreement.heard(epoch, this.#options.now()));
  }

  /** So many segments have been sealed with the current key. */
  sealed(segments: number): void {
    this.#sealed = segments;
  }

  async #keepOpen(): Promise<void> {
    const { signal } = this.#stop;
    const { open, log, now } = this.#options;
    while (!signal.aborted) {
      this.#hurry = new AbortController();
      try {
        const stream = await open(signal);
        if (signal.aborted) return stream.reset();
        const since = now();
        await this.#run(stream);
        if (now() - since >= stableMs) this.#failures = 0;
      } catch (error) {
        if (!signal.aborted) log("debug", "no channel for keys", { error: errorText(error) });
      }
      const wait = retryMs[Math.min(this.#failures++, retryMs.length - 1)]!;
      await sleep(wait * (0.5 + Math.random()), AbortSignal.any([signal, this.#hurry.signal]));
    }
  }

  async #run(stream: ByteStream): Promise<void> {
    this.#channel?.stream.reset();
    const messages = new DatagramStream(stream);
    const channel = this.#channel = { stream, messages };
    this.#send(encodeHello(this.#options.hello));
    const timer = setTimeout(() => stream.reset(), this.#options.helloMs ?? 3_000);
    try {
      const first = await messages.receive();
      clearTimeout(timer);
      if (first !== null && this.#channel === channel) {
        this.#options.helloed(decodeHello(first));
        this.#act(this.#agreement.connected(this.#options.now()));
        for (;;) {
          const bytes = await messages.receive();
          if (bytes === null || this.#channel !== channel) break;
          this.#act(this.#agreement.receive(bytes, this.#options.now()));
        }
      }
    } catch (error) {
      this.#options.log("debug", "the channel for keys has ended", { error: errorText(error) });
    }
    clearTimeout(timer);
    stream.reset();
    if (this.#channel !== channel) return;
    this.#channel = undefined;
    this.#agreement.disconnected();
  }

  #act(actions: readonly KeyAction[]): void {
    if (this.#stop.signal.aborted) return;
    for (const action of actions) {
      if (action.do === "send") {
        this.#send(action.message);
        continue;
      }
      if (action.do === "seal") this.#sealed = 0;
      this.#options.act(action);
    }
  }

  #send(bytes: Uint8Array): void {
    const channel = this.#channel;
    // What cannot be sent ends the channel, and the next one begins anew.
    this.#sending = this.#sending.then(() => channel?.messages.send(bytes)).catch(() => {
      channel?.stream.reset();
    });
  }

  [Symbol.dispose](): void {
    this.#stop.abort();
    this.#channel?.stream.reset();
    this.#channel = undefined;
  }
}

import { PulseError } from "../../errors/mod.ts";
import { ProtocolError, SessionClosedError, StreamLimitError } from "../errors.ts";
import type { ByteStream } from "../types.ts";
import { GoAwayCode } from "./frame.ts";
import { Keepalive } from "./keepalive.ts";
import { YamuxCore } from "./yamux_core.ts";
import { defaultYamuxLimits, type YamuxLimits, type YamuxStats } from "./yamux_limits.ts";
import { YamuxStream } from "./yamux_stream.ts";
import { YamuxWriter } from "./yamux_writer.ts";

/** What a session runs over: reliable and ordered. */
export interface BytePipe {
  /**
   * Resolves when more can be taken and `chunk` is no longer needed: it is reused then. Never called before the last call
   * has resolved.
   */
  write(chunk: Uint8Array): Promise<void>;
  /** The next bytes, owned by the session from then on; `null` at the end. */
  read(): Promise<Uint8Array | null>;
  /** Sends what was written, as far as possible, and ends both directions: a pending read gives `null` soon. Idempotent. */
  close(): void;
}

/** Why a session is over. */
export interface YamuxEnd {
  readonly cause: "local" | "remote" | "protocol" | "idle" | "pipe";
  readonly goAwayCode: number;
  readonly message: string;
  readonly error?: unknown;
}

export interface YamuxOptions {
  readonly role: "client" | "server";
  /** Monotonic milliseconds. */
  readonly now: () => number;
  readonly limits?: Partial<YamuxLimits>;
  /** True when each chunk of the pipe is a message of whole frames: anything else ends the session. */
  readonly wholeFrames?: boolean;
  /** Runs once when the session is over, before the pipe is closed. */
  readonly onEnd?: (end: YamuxEnd) => void;
}

/** How long a GoAway may take to leave before the pipe is closed without it. */
const FAREWELL_MS = 1_000;

/** yamux over a byte pipe, wire compatible with hashicorp/yamux. Ends when the pipe does. */
export class YamuxSession implements AsyncDisposable {
  /** Resolves (never rejects) when the session is over and its pipe closed. */
  readonly closed: Promise<YamuxEnd>;
  readonly #closed = Promise.withResolvers<YamuxEnd>();
  readonly #pipe: BytePipe;
  readonly #limits: YamuxLimits;
  readonly #now: () => number;
  readonly #wholeFrames: boolean;
  readonly #core: YamuxCore;
  readonly #writer: YamuxWriter;
  readonly #keepalive: Keepalive;
  readonly #onEnd: (end: YamuxEnd) => void;
  readonly #openers = new Set<() => void>();
  #acceptor: PromiseWithResolvers<ByteStream | null> | null = null;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #end: YamuxEnd | null = null;

  constructor(pipe: BytePipe, options: YamuxOptions) {
    this.#pipe = pipe;
    this.#now = options.now;
    this.#limits = { ...defaultYamuxLimits, ...options.limits };
    this.#wholeFrames = options.wholeFrames ?? false;
    this.#onEnd = options.onEnd ?? (() => {});
    this.closed = this.#closed.promise;
    const now = this.#now();
    this.#core = new YamuxCore(options.role, this.#limits, {
      pending: () => this.#writer.wake(),
      incoming: () => this.#onIncoming(),
      room: () => this.#onRoom(),
    }, now);
    this.#writer = new YamuxWriter(
      pipe,
      this.#core,
      this.#limits,
      this.#now,
      (error) => this.#finish({ cause: "pipe", goAwayCode: 0, message: "the pipe failed", error }),
    );
    this.#keepalive = new Keepalive(this.#limits.keepAliveMs, this.#limits.idleTimeoutMs, now);
    this.#arm(now);
    // The first round trip is measured at once: window growth wants to know it.
    this.#core.ping(now, () => {});
    void this.#receive();
  }

  get stats(): Readonly<YamuxStats> {
    return this.#core.stats;
  }

  /** Smoothed round trip in milliseconds, 0 while unknown. */
  get roundTripMs(): number {
    return this.#core.roundTripMs;
  }

  /**
   * @throws {SessionClosedError} the session is over or the peer said GoAway
   * @throws {StreamLimitError} `signal` aborted while too many streams were open
   */
  async openStream(options: { signal?: AbortSignal } = {}): Promise<ByteStream> {
    options.signal?.throwIfAborted();
    while (!this.#core.canOpen) {
      this.#checkOpen();
      await this.#waitForRoom(options.signal);
    }
    this.#checkOpen();
    return new YamuxStream(this.#core, this.#core.open(this.#now()), this.#now);
  }

  /** The next stream the peer opened; `null` once the session is over. One call at a time. */
  acceptStream(): Promise<ByteStream | null> {
    if (this.#acceptor !== null) {
      return Promise.reject(
        new PulseError("SESSION_BUSY", "acceptStream() while another acceptStream() is pending"),
      );
    }
    if (this.#end !== null) return Promise.resolve(null);
    const state = this.#core.takeIncoming();
    if (state !== undefined) {
      return Promise.resolve(new YamuxStream(this.#core, state, this.#now));
    }
    this.#acceptor = Promise.withResolvers();
    return this.#acceptor.promise;
  }

  /** Round trip in milliseconds. @throws {SessionClosedError} also when too many pings are unanswered */
  ping(): Promise<number> {
    const answer = Promise.withResolvers<number>();
    const started = this.#end === null && this.#core.ping(this.#now(), (roundTripMs) => {
      if (roundTripMs === null) {
        answer.reject(new SessionClosedError("the session ended before the ping was answered"));
      } else answer.resolve(roundTripMs);
    });
    if (!started) {
      answer.reject(
        new SessionClosedError("no ping was sent: the session is over or answers nothing"),
      );
    }
    return answer.promise;
  }

  /** Takes no new streams from now on; what is open goes on. */
  goAway(): void {
    if (this.#end === null) this.#core.goAway(GoAwayCode.normal);
  }

  /** Ends the session: GoAway with `code`, every stream reset, the pipe closed. Idempotent. */
  async close(code: GoAwayCode = GoAwayCode.normal): Promise<void> {
    await this.#finish({ cause: "local", goAwayCode: code, message: "closed by this end" });
    await this.closed;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #receive(): Promise<void> {
    try {
      for (;;) {
        const chunk = await this.#pipe.read();
        if (this.#end !== null) return;
        if (chunk === null) break;
        const now = this.#now();
        this.#keepalive.heard(now);
        this.#core.receive(chunk, now, this.#wholeFrames);
        const failure = this.#core.failure;
        if (failure !== null) return await this.#fail(failure);
      }
      await this.#finish({
        cause: "remote",
        goAwayCode: 0,
        message: "the peer closed the session",
      });
    } catch (error) {
      if (error instanceof ProtocolError) return await this.#fail(error);
      await this.#finish({ cause: "pipe", goAwayCode: 0, message: "the pipe failed", error });
    }
  }

  async #fail(error: ProtocolError): Promise<void> {
    const remote = (this.#core.goAwayCode ?? GoAwayCode.normal) !== GoAwayCode.normal;
    await this.#finish({
      cause: remote ? "remote" : "protocol",
      goAwayCode: remote ? this.#core.goAwayCode ?? 0 : GoAwayCode.protocolError,
      message: error.message,
      error,
    });
  }

  async #finish(end: YamuxEnd): Promise<void> {
    if (this.#end !== null) return;
    this.#end = end;
    clearTimeout(this.#timer);
    this.#core.end(end.message);
    this.#acceptor?.resolve(null);
    this.#acceptor = null;
    this.#onRoom();
    const farewell = end.cause === "local" || end.cause === "protocol";
    if (farewell) this.#core.goAway(end.goAwayCode as GoAwayCode);
    await this.#writer.finish(farewell ? FAREWELL_MS : 0);
    this.#onEnd(end);
    this.#pipe.close();
    this.#closed.resolve(end);
  }

  #arm(now: number): void {
    this.#timer = setTimeout(
      () => this.#tick(),
      Math.max(1, Math.ceil(this.#keepalive.deadline - now)),
    );
  }

  #tick(): void {
    const now = this.#now();
    const verdict = this.#keepalive.tick(now);
    const stuckMs = this.#writer.stuckMs(now);
    if (verdict === "dead" || stuckMs > this.#limits.writeTimeoutMs) {
      const message = verdict === "dead"
        ? `nothing came from the peer for ${this.#limits.idleTimeoutMs} ms`
        : `the peer took nothing for ${this.#limits.writeTimeoutMs} ms`;
      void this.#finish({ cause: "idle", goAwayCode: 0, message });
      return;
    }
    if (verdict === "ping") this.#core.ping(now, () => {});
    this.#arm(now);
  }

  #onIncoming(): void {
    const acceptor = this.#acceptor;
    if (acceptor === null) return;
    const state = this.#core.takeIncoming();
    if (state === undefined) return;
    this.#acceptor = null;
    acceptor.resolve(new YamuxStream(this.#core, state, this.#now));
  }

  /** Wakes one waiting opener per room, or all when there will be none. */
  #onRoom(): void {
    const hopeless = this.#end !== null || this.#core.goAwayCode !== null;
    if (!hopeless && !this.#core.canOpen) return;
    for (const opener of [...this.#openers]) {
      this.#openers.delete(opener);
      opener();
      if (!hopeless) return;
    }
  }

  #checkOpen(): void {
    if (this.#end !== null) {
      throw new SessionClosedError(`the session is over: ${this.#end.message}`);
    }
    if (this.#core.goAwayCode !== null) {
      throw new SessionClosedError("the peer takes no new streams (GoAway): open another session");
    }
    if (this.#core.exhausted) {
      throw new SessionClosedError("the session has used up its stream ids: open another session");
    }
  }

  /** Until something changed that may make room; the caller looks again. */
  async #waitForRoom(signal: AbortSignal | undefined): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const abort = () =>
      reject(
        new StreamLimitError(
          `${this.#limits.maxIncomingStreams} streams are open and none ended before the wait was aborted`,
          { maxIncomingStreams: this.#limits.maxIncomingStreams },
        ),
      );
    this.#openers.add(resolve);
    signal?.addEventListener("abort", abort, { once: true });
    try {
      await promise;
    } finally {
      this.#openers.delete(resolve);
      signal?.removeEventListener("abort", abort);
    }
  }
}

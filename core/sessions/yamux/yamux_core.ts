import { ProtocolError, StreamResetError } from "../errors.ts";
import { FrameFlag, FrameType, GoAwayCode, INITIAL_WINDOW } from "./frame.ts";
import { FrameParser, type FrameSink } from "./frame_parser.ts";
import { PingTracker } from "./ping_tracker.ts";
import { SendScheduler } from "./send_scheduler.ts";
import type { StreamState } from "./stream_state.ts";
import { StreamTable } from "./stream_table.ts";
import { streamResetCodes, type YamuxLimits, type YamuxStats } from "./yamux_limits.ts";

/** What the core tells its adapter. Called synchronously; must not call back into `receive` or `transmit`. */
export interface CoreObserver {
  /** There is something to transmit. */
  pending(): void;
  /** `takeIncoming` has a stream. */
  incoming(): void;
  /** There may be room to open another stream, or will never be again. */
  room(): void;
}

/**
 * The protocol of one yamux session without I/O, clocks or timers: bytes and times go in, bytes come out. Everything a
 * peer can make it hold is bounded by `YamuxLimits`.
 */
export class YamuxCore {
  readonly #limits: YamuxLimits;
  readonly #observer: CoreObserver;
  readonly #parser: FrameParser;
  readonly #scheduler: SendScheduler;
  readonly #table: StreamTable;
  readonly #pings = new PingTracker();
  /** The stream of the data frame being received, and whether it ends with that frame. */
  #current: StreamState | null = null;
  #currentFin = false;
  /** Received, not read, of streams that live. */
  #buffered = 0;
  /** What peers may still send to streams that ended here: no more than those had been granted. */
  #strayAllowance = 0;
  #now: number;
  #goAwaySent = false;
  #goAwayCode: number | null = null;
  #failure: ProtocolError | null = null;
  readonly stats: YamuxStats = {
    bytesIn: 0,
    bytesOut: 0,
    streamsOpened: 0,
    streamsAccepted: 0,
    streamsRefused: 0,
    pingsIgnored: 0,
    strayFrames: 0,
  };

  constructor(role: "client" | "server", limits: YamuxLimits, observer: CoreObserver, now: number) {
    this.#limits = limits;
    this.#observer = observer;
    this.#now = now;
    this.#table = new StreamTable(role, limits);
    this.#scheduler = new SendScheduler((stream) => this.#finLeft(stream));
    const sink: FrameSink = {
      onFrame: (type, flags, id, length) => this.#onFrame(type, flags, id, length),
      onData: (_id, piece, last) => this.#onData(piece, last),
    };
    this.#parser = new FrameParser(sink);
  }

  /** Set once the session must end because of what the peer sent; the adapter says GoAway and closes. */
  get failure(): ProtocolError | null {
    return this.#failure;
  }

  /** The code of the peer's GoAway, null before it came. With any code it takes no new streams. */
  get goAwayCode(): number | null {
    return this.#goAwayCode;
  }

  get canOpen(): boolean {
    return this.#goAwayCode === null && this.#table.canOpen;
  }

  get exhausted(): boolean {
    return this.#table.exhausted;
  }

  /** Smoothed round trip in milliseconds, 0 before the first answer to a ping. */
  get roundTripMs(): number {
    return this.#pings.roundTripMs;
  }

  /** Bytes from the peer. With `whole`, they must be whole frames, as one WebSocket message is. */
  receive(chunk: Uint8Array, now: number, whole: boolean): void {
    if (this.#failure !== null) return;
    this.#now = now;
    this.stats.bytesIn += chunk.length;
    try {
      this.#parser.push(chunk);
      if (whole && !this.#parser.atBoundary) {
        throw new ProtocolError("the peer sent a message that does not end with a whole frame");
      }
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      this.#failure = error;
    }
  }

  /** How much room `transmit` has use for, at most `most`. */
  demand(most: number): number {
    return this.#scheduler.demand(most);
  }

  /** Fills `out` with whole frames and returns their length; 0 when there is nothing to send. */
  transmit(out: Uint8Array): number {
    const length = this.#scheduler.fill(out);
    this.stats.bytesOut += length;
    return length;
  }

  /** A new stream of this end; `canOpen` must hold. */
  open(now: number): StreamState {
    const stream = this.#table.open(now);
    this.stats.streamsOpened++;
    this.touch(stream);
    return stream;
  }

  /** The oldest stream of the peer that nobody took yet; taking it acknowledges it. */
  takeIncoming(): StreamState | undefined {
    const stream = this.#table.take();
    if (stream === undefined) return undefined;
    this.stats.streamsAccepted++;
    stream.flagOwed = FrameFlag.ack;
    this.touch(stream);
    return stream;
  }

  /** To be called after a stream was given bytes to send or was asked to end its writing side. */
  touch(stream: StreamState): void {
    this.#scheduler.touch(stream);
    if (!this.#scheduler.idle) this.#observer.pending();
  }

  /** The next received bytes of a stream; reading is what returns credit to the peer. */
  take(stream: StreamState, now: number): Uint8Array | undefined {
    const piece = stream.queue.shift();
    if (piece === undefined || stream.ended) return piece;
    this.#buffered -= piece.length;
    if (stream.finReceived) return piece;
    const credit = stream.window.consume(piece.length, now, this.#pings.roundTripMs);
    if (credit > 0) {
      stream.creditOwed += credit;
      this.touch(stream);
    }
    return piece;
  }

  /** Ends a stream abruptly from this end. */
  reset(stream: StreamState, code: number): void {
    if (stream.ended) return;
    // A SYN that has not left yet needs no reset after it: the peer never hears of that stream.
    if (stream.flagOwed !== FrameFlag.syn) this.#sendReset(stream.id, code);
    if (!stream.finReceived) this.#strayAllowance += stream.window.available;
    this.#abort(stream, new StreamResetError("the stream was reset by this end", code));
  }

  /** Sends a ping. False: too many are unanswered. `done` gets the round trip, or null if the session ends first. */
  ping(now: number, done: (roundTripMs: number | null) => void): boolean {
    const id = this.#pings.start(now, done);
    if (id !== null) this.#loose(FrameType.ping, FrameFlag.syn, 0, id);
    return id !== null;
  }

  /** Tells the peer to open no more streams; those it opens anyway are reset. */
  goAway(code: GoAwayCode): void {
    if (this.#goAwaySent && code === GoAwayCode.normal) return;
    this.#goAwaySent = true;
    this.#loose(FrameType.goAway, 0, 0, code);
  }

  /** Ends all streams. Input is ignored from now on. */
  end(reason: string): void {
    this.#failure ??= new ProtocolError(reason);
    for (const stream of this.#table.all()) this.#abort(stream, new StreamResetError(reason));
    this.#pings.end();
  }

  #onFrame(type: FrameType, flags: number, id: number, length: number): void {
    this.#current = null;
    if (type === FrameType.ping) return this.#onPing(flags, length);
    if (type === FrameType.goAway) return this.#onGoAway(length);
    if (flags & FrameFlag.syn) this.#onSyn(id);
    const stream = this.#table.get(id);
    if (stream === undefined) return this.#onStray(type, id, length);
    if (flags & FrameFlag.ack && stream.unacknowledged) {
      this.#table.acknowledged(stream);
      this.#observer.room();
    }
    if (flags & FrameFlag.rst) return this.#onReset(stream, type, length);
    const fin = (flags & FrameFlag.fin) !== 0;
    if (stream.finReceived && (fin || type === FrameType.data)) {
      throw new ProtocolError(`the peer wrote to stream ${id} after it had ended it`, { id });
    }
    if (type === FrameType.windowUpdate) this.#onCredit(stream, fin, length);
    else this.#onDataHeader(stream, fin, length);
  }

  #onSyn(id: number): void {
    this.#table.checkIncoming(id);
    if (!this.#goAwaySent && !this.#table.full) {
      this.#table.accept(id, this.#now);
      return this.#observer.incoming();
    }
    this.stats.streamsRefused++;
    this.#strayAllowance += INITIAL_WINDOW;
    this.#sendReset(id, streamResetCodes.overLimit);
  }

  #onReset(stream: StreamState, type: FrameType, length: number): void {
    const code = type === FrameType.windowUpdate ? length : streamResetCodes.none;
    if (type === FrameType.data) this.#strayAllowance += stream.window.available;
    this.#abort(stream, new StreamResetError("the stream was reset by the peer", code));
    if (type === FrameType.data) this.#onStray(type, stream.id, length);
  }

  #onCredit(stream: StreamState, fin: boolean, credit: number): void {
    stream.sendWindow += credit;
    if (stream.sendWindow > 0xffff_ffff) {
      throw new ProtocolError(`the peer's window for stream ${stream.id} exceeds 32 bits`);
    }
    if (fin) this.#onFin(stream);
    if (credit > 0) this.touch(stream);
  }

  #onDataHeader(stream: StreamState, fin: boolean, length: number): void {
    if (!stream.window.receive(length)) {
      throw new ProtocolError(
        `the peer sent ${length} bytes to stream ${stream.id} where ${stream.window.available} were granted`,
        { id: stream.id, length, granted: stream.window.available },
      );
    }
    if (length > 0) {
      this.#current = stream;
      this.#currentFin = fin;
    } else if (fin) this.#onFin(stream);
  }

  #onData(piece: Uint8Array, last: boolean): void {
    const stream = this.#current;
    // No stream: it had ended, its bytes are covered by the allowance and go nowhere.
    if (stream === null) return;
    this.#buffered += piece.length;
    stream.queue.push(piece, stream.readerWaits);
    stream.observer.readable();
    if (this.#buffered > this.#limits.maxSessionBuffer) {
      this.stats.streamsRefused++;
      this.#current = null;
      return this.reset(stream, streamResetCodes.overLimit);
    }
    if (last && this.#currentFin) this.#onFin(stream);
  }

  #onFin(stream: StreamState): void {
    stream.finReceived = true;
    stream.window.release();
    if (stream.ended) this.#remove(stream);
    stream.observer.readable();
  }

  #finLeft(stream: StreamState): void {
    stream.finSent = true;
    stream.observer.writeClosed();
    if (stream.ended) this.#remove(stream);
  }

  #onPing(flags: number, id: number): void {
    if (!(flags & FrameFlag.syn)) return this.#pings.answered(id, this.#now);
    if (this.#scheduler.looseFrames >= this.#limits.maxPingAnswers) {
      this.stats.pingsIgnored++;
      return;
    }
    this.#loose(FrameType.ping, FrameFlag.ack, 0, id);
  }

  #onGoAway(code: number): void {
    this.#goAwayCode = code;
    this.#observer.room();
    if (code !== GoAwayCode.normal) {
      throw new ProtocolError(`the peer ended the session with GoAway code ${code}`, { code });
    }
  }

  #onStray(type: FrameType, id: number, length: number): void {
    this.stats.strayFrames++;
    if (id === 0 || this.#table.neverExisted(id)) {
      throw new ProtocolError(`the peer sent a frame for stream ${id}, which was never opened`, {
        id,
      });
    }
    if (type !== FrameType.data) return;
    this.#strayAllowance -= length;
    if (this.#strayAllowance < 0) {
      throw new ProtocolError(`the peer goes on sending to stream ${id}, which has ended`, { id });
    }
  }

  #sendReset(id: number, code: number): void {
    if (this.#scheduler.looseFrames >= this.#limits.maxPendingResets) {
      this.#failure ??= new ProtocolError(
        "the peer caused more stream resets than it is willing to read",
      );
      return;
    }
    this.#loose(FrameType.windowUpdate, FrameFlag.rst, id, code);
  }

  #loose(type: FrameType, flags: number, id: number, length: number): void {
    this.#scheduler.loose(type, flags, id, length);
    this.#observer.pending();
  }

  #abort(stream: StreamState, error: StreamResetError): void {
    this.#buffered -= stream.fail(error);
    this.#remove(stream);
  }

  #remove(stream: StreamState): void {
    // What a cleanly ended stream still holds is its reader's, no longer the session's.
    if (stream.error === null) this.#buffered -= stream.queue.size;
    else if (this.#current === stream) this.#current = null;
    this.#table.remove(stream);
    stream.observer.ended();
    this.#observer.room();
  }
}

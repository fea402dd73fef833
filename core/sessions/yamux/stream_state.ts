import { StreamResetError } from "../errors.ts";
import { INITIAL_WINDOW } from "./frame.ts";
import { ReceiveQueue } from "./receive_queue.ts";
import type { ReceiveWindow } from "./receive_window.ts";

/** What a stream's owner is told. Called from inside the session core: nothing slow, nothing that throws. */
export interface StreamObserver {
  /** Bytes, an end or an error wait for a reader. */
  readable(): void;
  /** The chunk given to `write` has left, or never will. */
  written(): void;
  /** The FIN has left, or never will. */
  writeClosed(): void;
  /** Both directions have ended. */
  ended(): void;
}

const NOBODY: StreamObserver = {
  readable() {},
  written() {},
  writeClosed() {},
  ended() {},
};

/** State of one stream. Plain data for the session core; only `YamuxStream` and the core's parts see it. */
export class StreamState {
  readonly id: number;
  /** True when the peer opened it. */
  readonly incoming: boolean;
  readonly window: ReceiveWindow;
  readonly queue = new ReceiveQueue();
  observer: StreamObserver = NOBODY;

  /** SYN or ACK flag owed on the next frame, 0 when none is. */
  flagOwed: number;
  /** True for an own stream whose SYN the peer has not acknowledged. */
  unacknowledged: boolean;
  sendWindow = INITIAL_WINDOW;
  /** The chunk being written and how much of it has left. */
  out: Uint8Array | null = null;
  outAt = 0;
  /** Window credit owed to the peer. */
  creditOwed = 0;
  finWanted = false;
  finSent = false;
  finReceived = false;
  /** Set when the stream ended abruptly. */
  error: StreamResetError | null = null;
  /** Members of the send rings, so that a stream is in each at most once. */
  inControlRing = false;
  inDataRing = false;
  /** True while a reader waits: what arrives is then not stored but handed over. */
  readerWaits = false;

  constructor(id: number, incoming: boolean, window: ReceiveWindow, flagOwed: number) {
    this.id = id;
    this.incoming = incoming;
    this.window = window;
    this.flagOwed = flagOwed;
    this.unacknowledged = !incoming;
  }

  get ended(): boolean {
    return this.error !== null || (this.finSent && this.finReceived);
  }

  get canSendData(): boolean {
    return this.out !== null && this.sendWindow > 0;
  }

  /** The abrupt end: whoever waits is told, what was not read is forgotten. Returns how many bytes that were. */
  fail(error: StreamResetError): number {
    this.error = error;
    this.out = null;
    const dropped = this.queue.clear();
    this.observer.readable();
    this.observer.written();
    this.observer.writeClosed();
    this.observer.ended();
    return dropped;
  }
}

import { ProtocolError } from "../errors.ts";
import { FrameFlag } from "./frame.ts";
import { type GrowthBudget, ReceiveWindow } from "./receive_window.ts";
import { StreamState } from "./stream_state.ts";
import type { YamuxLimits } from "./yamux_limits.ts";

const LAST_ID = 0xffff_ffff;

/** The living streams of a session, who opened them, and whether there may be more. */
export class StreamTable {
  readonly #limits: YamuxLimits;
  readonly #growth: GrowthBudget;
  readonly #streams = new Map<number, StreamState>();
  /** Opened by the peer and not taken yet, oldest first; a stream that ends leaves it at once. */
  readonly #untaken = new Map<number, StreamState>();
  readonly #ownParity: number;
  #nextId: number;
  #highestPeerId = 0;
  #ownOpen = 0;
  #peerOpen = 0;
  #unacknowledged = 0;

  constructor(role: "client" | "server", limits: YamuxLimits) {
    this.#limits = limits;
    this.#growth = { left: limits.sessionWindowGrowth };
    this.#ownParity = role === "client" ? 1 : 0;
    this.#nextId = role === "client" ? 1 : 2;
  }

  /**
   * True when another stream may be opened. The peer's limit is not told in this protocol; both ends of a pulse link use
   * the same default, so this end keeps to its own.
   */
  get canOpen(): boolean {
    return this.#ownOpen < this.#limits.maxIncomingStreams &&
      this.#unacknowledged < this.#limits.maxUnacknowledged && !this.exhausted;
  }

  /** All ids are used up: after two thousand million streams. */
  get exhausted(): boolean {
    return this.#nextId > LAST_ID;
  }

  get full(): boolean {
    return this.#peerOpen >= this.#limits.maxIncomingStreams;
  }

  get(id: number): StreamState | undefined {
    return this.#streams.get(id);
  }

  all(): StreamState[] {
    return [...this.#streams.values()];
  }

  open(now: number): StreamState {
    const window = new ReceiveWindow(this.#limits.maxStreamWindow, this.#growth, now);
    const stream = new StreamState(this.#nextId, false, window, FrameFlag.syn);
    this.#nextId += 2;
    this.#ownOpen++;
    this.#unacknowledged++;
    this.#streams.set(stream.id, stream);
    return stream;
  }

  /** Checks a SYN. @throws {ProtocolError} an id the peer may not use, or uses already */
  checkIncoming(id: number): void {
    if (id === 0 || id % 2 === this.#ownParity) {
      throw new ProtocolError(`the peer opened stream ${id}, an id that is not its to give`, {
        id,
      });
    }
    if (this.#streams.has(id)) {
      throw new ProtocolError(`the peer opened stream ${id} twice`, { id });
    }
    // Not required to rise: hashicorp/yamux may send two SYNs in the other order than it numbered them.
    this.#highestPeerId = Math.max(this.#highestPeerId, id);
  }

  accept(id: number, now: number): StreamState {
    const window = new ReceiveWindow(this.#limits.maxStreamWindow, this.#growth, now);
    const stream = new StreamState(id, true, window, 0);
    this.#peerOpen++;
    this.#streams.set(id, stream);
    this.#untaken.set(id, stream);
    return stream;
  }

  take(): StreamState | undefined {
    for (const [id, stream] of this.#untaken) {
      this.#untaken.delete(id);
      return stream;
    }
    return undefined;
  }

  acknowledged(stream: StreamState): void {
    if (!stream.unacknowledged) return;
    stream.unacknowledged = false;
    this.#unacknowledged--;
  }

  remove(stream: StreamState): void {
    if (!this.#streams.delete(stream.id)) return;
    this.#untaken.delete(stream.id);
    this.acknowledged(stream);
    stream.window.release();
    if (stream.incoming) this.#peerOpen--;
    else this.#ownOpen--;
  }

  /** True when a stream of this id has never been: frames for it cannot have been under way. */
  neverExisted(id: number): boolean {
    return id % 2 === this.#ownParity ? id >= this.#nextId : id > this.#highestPeerId;
  }
}

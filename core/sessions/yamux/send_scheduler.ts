import { FrameFlag, FrameType, HEADER_BYTES, MAX_DATA_FRAME, writeHeader } from "./frame.ts";
import type { StreamState } from "./stream_state.ts";

/** Share of one data frame per stream and turn when very many streams have something to send. */
const MIN_QUANTUM = 4 * 1024;

/** A header-only frame that belongs to no living stream. */
interface LooseFrame {
  readonly type: FrameType;
  readonly flags: number;
  readonly streamId: number;
  readonly length: number;
}

/**
 * What is sent next: pings, resets and GoAway first, then credit and flags of streams, then data round robin. Every ready
 * stream gets its share of each batch, so a small message waits for one batch and not for somebody's bulk.
 */
export class SendScheduler {
  #loose: LooseFrame[] = [];
  #control: StreamState[] = [];
  #data: StreamState[] = [];
  readonly #onFin: (stream: StreamState) => void;

  /** `onFin` runs when a stream's FIN has been put into a batch. */
  constructor(onFin: (stream: StreamState) => void) {
    this.#onFin = onFin;
  }

  /** Header-only frames outside streams that wait to be sent. */
  get looseFrames(): number {
    return this.#loose.length;
  }

  get idle(): boolean {
    return this.#loose.length === 0 && this.#control.length === 0 && this.#data.length === 0;
  }

  loose(type: FrameType, flags: number, streamId: number, length: number): void {
    this.#loose.push({ type, flags, streamId, length });
  }

  /** Puts the stream where it belongs after something changed. */
  touch(stream: StreamState): void {
    if (stream.error !== null || stream.finSent && stream.creditOwed === 0) return;
    const finDue = stream.finWanted && !stream.finSent && stream.out === null;
    const flagAlone = stream.flagOwed !== 0 && !stream.canSendData;
    if (!stream.inControlRing && (stream.creditOwed > 0 || finDue || flagAlone)) {
      stream.inControlRing = true;
      this.#control.push(stream);
    }
    if (!stream.inDataRing && stream.canSendData) {
      stream.inDataRing = true;
      this.#data.push(stream);
    }
  }

  /** How many bytes `fill` would like to have room for, at most `most`. */
  demand(most: number): number {
    let bytes = (this.#loose.length + this.#control.length) * HEADER_BYTES;
    for (const stream of this.#data) {
      if (bytes >= most) break;
      const left = stream.out === null ? 0 : stream.out.length - stream.outAt;
      const sendable = Math.min(left, stream.sendWindow);
      bytes += sendable + HEADER_BYTES * Math.ceil(sendable / MAX_DATA_FRAME);
    }
    return Math.min(most, bytes);
  }

  /** Fills `out` with whole frames; returns how many bytes. 0: nothing to send. `out` takes at least one header. */
  fill(out: Uint8Array): number {
    let at = this.#fillLoose(out);
    at = this.#fillControl(out, at);
    return this.#fillData(out, at);
  }

  #fillLoose(out: Uint8Array): number {
    const count = Math.min(this.#loose.length, Math.floor(out.length / HEADER_BYTES));
    for (let i = 0; i < count; i++) {
      const frame = this.#loose[i];
      if (frame === undefined) break;
      writeHeader(out, i * HEADER_BYTES, frame.type, frame.flags, frame.streamId, frame.length);
    }
    if (count === this.#loose.length) this.#loose.length = 0;
    else this.#loose = this.#loose.slice(count);
    return count * HEADER_BYTES;
  }

  #fillControl(out: Uint8Array, start: number): number {
    let at = start;
    let taken = 0;
    for (const stream of this.#control) {
      if (out.length - at < HEADER_BYTES) break;
      taken++;
      stream.inControlRing = false;
      if (stream.error !== null) continue;
      const fin = stream.finWanted && !stream.finSent && stream.out === null;
      const credit = stream.finReceived ? 0 : stream.creditOwed;
      stream.creditOwed = 0;
      const flags = stream.flagOwed | (fin ? FrameFlag.fin : 0);
      stream.flagOwed = 0;
      if (flags === 0 && credit === 0) continue;
      writeHeader(out, at, FrameType.windowUpdate, flags, stream.id, credit);
      at += HEADER_BYTES;
      if (fin) this.#onFin(stream);
    }
    if (taken === this.#control.length) this.#control.length = 0;
    else this.#control = this.#control.slice(taken);
    return at;
  }

  #fillData(out: Uint8Array, start: number): number {
    let at = start;
    let turn = 0;
    const share = Math.floor((out.length - at) / Math.max(1, this.#data.length));
    const quantum = Math.min(MAX_DATA_FRAME, Math.max(MIN_QUANTUM, share - HEADER_BYTES));
    while (turn < this.#data.length && out.length - at > HEADER_BYTES) {
      const stream = this.#data[turn++];
      if (stream === undefined) break;
      at = this.#dataFrame(stream, out, at, quantum);
      if (stream.canSendData) this.#data.push(stream);
      else stream.inDataRing = false;
    }
    if (turn === this.#data.length) this.#data.length = 0;
    else if (turn > 0) this.#data = this.#data.slice(turn);
    return at;
  }

  #dataFrame(stream: StreamState, out: Uint8Array, at: number, quantum: number): number {
    const chunk = stream.out;
    if (chunk === null || stream.sendWindow === 0) return at;
    const left = chunk.length - stream.outAt;
    const length = Math.min(left, stream.sendWindow, quantum, out.length - at - HEADER_BYTES);
    out.set(chunk.subarray(stream.outAt, stream.outAt + length), at + HEADER_BYTES);
    stream.sendWindow -= length;
    stream.outAt += length;
    const last = length === left;
    const fin = last && stream.finWanted && !stream.finSent;
    const flags = stream.flagOwed | (fin ? FrameFlag.fin : 0);
    stream.flagOwed = 0;
    writeHeader(out, at, FrameType.data, flags, stream.id, length);
    if (last) {
      stream.out = null;
      stream.observer.written();
    }
    if (fin) this.#onFin(stream);
    return at + HEADER_BYTES + length;
  }
}

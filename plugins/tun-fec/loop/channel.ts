import { FecDecoder } from "../fec/decoder.ts";
import { blocks } from "../fec/fec_buffer.ts";
import { ReplayWindow } from "../wire/replay_window.ts";
import { parityPause } from "./limits.ts";
import { LossMeter } from "./loss_meter.ts";
import type { OpenPacket } from "./open_packet.ts";
import type { ReceiveKey } from "./receive_key.ts";

/** A decoder is not made anew for each size a path turns out to have. */
const smallestDecoder = 1_500;

/** Segments of one way under one key, as they arrive. */
export class Channel {
  readonly key: ReceiveKey;
  readonly way: number;
  readonly window = new ReplayWindow();
  /** Packets that are not whole, and those behind them, in the order they were sent. */
  readonly waiting: OpenPacket[] = [];
  /** Segments of all of them. */
  waitingSegments = 0;
  /** First counter of the newest packet that is done with. */
  done = -1;

  readonly meter = new LossMeter();
  /** Bytes of the largest segment. */
  largest = 0;
  /** Repairs what is lost; there while something is. */
  decoder: FecDecoder | undefined;
  /** When parity came last, and within how many segments that of a lost one comes. */
  parityAt = -Infinity;
  reach = 0;
  /** When its loss was reported last, and how many segments came since one was lost. */
  reportedAt = 0;
  calm = 0;

  constructor(key: ReceiveKey, way: number) {
    this.key = key;
    this.way = way;
    if ((key.peer.lossyWays >>> way & 1) !== 0) this.expectRepair();
  }

  /** Segments are remembered from now on, so that they can be repaired. */
  expectRepair(): void {
    const largest = blocks(Math.max(this.largest, smallestDecoder));
    if (this.decoder === undefined || this.decoder.largest < largest) {
      this.decoder = new FecDecoder(largest);
    }
  }

  /** Parity may bring back what is lost. */
  repairs(now: number): boolean {
    return this.decoder !== undefined && now - this.parityAt < parityPause;
  }
}

import { ReplayWindow } from "../wire/replay_window.ts";
import type { OpenPacket } from "./open_packet.ts";
import type { ReceiveKey } from "./receive_key.ts";

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

  /** Parity may bring back what is lost. */
  get repairs(): boolean {
    return false;
  }

  constructor(key: ReceiveKey, way: number) {
    this.key = key;
    this.way = way;
  }
}

import type { DirectionKey } from "../keys/key_agreement.ts";
import { numberSpaces } from "../wire/segment.ts";
import { Channel } from "./channel.ts";
import type { Peer } from "./peer.ts";
import type { SegmentCipher } from "./ports.ts";

/** What a peer's segments are opened with. */
export class ReceiveKey implements Disposable {
  readonly peer: Peer;
  readonly epoch: number;
  readonly receiver: number;
  readonly cipher: SegmentCipher;
  /** A segment under it has been authenticated. */
  heard = false;
  /** By number space; made when the first segment of one has been authenticated. */
  readonly channels: (Channel | undefined)[] = new Array(numberSpaces).fill(undefined);

  constructor(peer: Peer, { epoch, receiver }: DirectionKey, cipher: SegmentCipher) {
    this.peer = peer;
    this.epoch = epoch;
    this.receiver = receiver;
    this.cipher = cipher;
  }

  channel(space: number): Channel {
    return this.channels[space] ??= new Channel(this, space);
  }

  [Symbol.dispose](): void {
    this.cipher[Symbol.dispose]();
  }
}

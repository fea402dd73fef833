import type { NodeId } from "../../../core/identity/mod.ts";
import { fragmentBit, segmentOverhead } from "../wire/segment.ts";
import { mix } from "./flow_hash.ts";
import { sessionSegment } from "./limits.ts";
import type { WireAddress } from "./ports.ts";
import type { PathTable } from "./types.ts";
import type { Train } from "./trains.ts";

/** One path to a peer, as its sender sees it. */
export class Way {
  readonly number: number;
  readonly via: NodeId;
  /** Leads to the peer itself, without a relay. */
  readonly direct: boolean;
  /** Null: over the session with `via`. */
  readonly address: WireAddress | null;
  /** As the tables name it; where the peer really is may be known better. */
  endpoint: string | null;
  label: number;
  weight: number;
  /** What makes flows choose between ways. */
  readonly salt: number;
  /** What every fragment word on it contains. */
  readonly bits: number;
  /** Bytes of the longest segment. */
  size: number;
  /** Packets of one segment that are being gathered. */
  train: Train | undefined;

  constructor(
    peer: NodeId,
    number: number,
    path: PathTable,
    address: WireAddress | null,
    size: number,
  ) {
    this.number = number;
    this.via = path.via;
    this.direct = address !== null && path.via === peer;
    this.address = address;
    this.endpoint = path.endpoint;
    this.label = path.label;
    this.weight = path.weight;
    this.salt = mix(number + 1);
    this.bits = (number << 24 | (this.direct ? fragmentBit.direct : 0)) >>> 0;
    this.size = address === null ? sessionSegment : size;
  }

  /** Payload of each segment but the last of a packet. */
  get slot(): number {
    return this.size - segmentOverhead;
  }
}

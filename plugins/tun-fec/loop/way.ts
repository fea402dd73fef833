import type { NodeId } from "../../../core/identity/mod.ts";
import { fragmentBit, segmentOverhead } from "../wire/segment.ts";
import { mix } from "./flow_hash.ts";
import { sessionSegment } from "./limits.ts";
import { parityRoom, WayParity } from "./parity_sender.ts";
import { PathProbe } from "./path_probe.ts";
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
  /** How that is found; a session has its own. */
  readonly probe: PathProbe | undefined;
  readonly parity = new WayParity();
  /** Packets were sent since it was last looked at. */
  used = false;
  /** Bytes of a datagram that the system refused since; 0 for none. */
  refused = 0;
  /** The other end has been told of the key on it. */
  greeted = false;
  /** Packets of one segment that are being gathered. */
  train: Train | undefined;

  constructor(
    peer: NodeId,
    number: number,
    path: PathTable,
    address: WireAddress | null,
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
    this.probe = address === null ? undefined : new PathProbe(address.isIpv4);
    this.size = this.probe?.size ?? sessionSegment;
  }

  /** It leads to another address from now on. */
  move(to: WireAddress): void {
    this.address?.copyFrom(to);
    this.probe?.moved();
    this.size = this.probe?.size ?? this.size;
  }

  get alive(): boolean {
    return this.probe?.alive !== false;
  }

  get sure(): boolean {
    return this.probe?.sure !== false;
  }

  /** Payload of the longest segment. */
  get capacity(): number {
    return this.size - segmentOverhead;
  }

  /** Payload of each segment but the last of a packet. */
  get slot(): number {
    return this.size - segmentOverhead - (this.parity.active ? parityRoom : 0);
  }
}

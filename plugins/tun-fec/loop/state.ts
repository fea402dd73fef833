import type { Peer } from "./peer.ts";
import type { ReceiveKey } from "./receive_key.ts";
import { RouteTable } from "./route_table.ts";
import type { Label } from "./label.ts";

/** What the loop was told: read by both directions, written by commands alone. */
export interface LoopState {
  readonly peers: Map<number, Peer>;
  /** By destination of a packet from the interface. */
  routes: RouteTable<Peer>;
  /** By receiver index of a segment: a key of ours, or a path of others. */
  readonly receivers: Map<number, ReceiveKey | Label>;
}

export function emptyState(): LoopState {
  return { peers: new Map(), routes: new RouteTable<Peer>([]), receivers: new Map() };
}

import { SendQueue } from "./fair_queue.ts";
import type { WireAddress } from "./ports.ts";

/** A path of others through this node: what arrives with one number leaves with another. */
export class Label {
  readonly label: number;
  readonly endpoint: string;
  readonly address: WireAddress;
  next: number;
  readonly queue = new SendQueue();
  segments = 0;
  bytes = 0;

  constructor(label: number, endpoint: string, address: WireAddress, next: number) {
    this.label = label;
    this.endpoint = endpoint;
    this.address = address;
    this.next = next;
  }
}

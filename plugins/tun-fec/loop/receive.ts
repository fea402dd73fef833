import {
  counterOf,
  fragmentBit,
  fragmentOf,
  kindOf,
  nonceAt,
  numberSpace,
  receiverOf,
  segmentHead,
  segmentKind,
  segmentOverhead,
  segmentTag,
} from "../wire/segment.ts";
import { readParityHead } from "../fec/parity.ts";
import type { Assembly } from "./assembly.ts";
import type { Control } from "./control.ts";
import type { Delivery } from "./delivery.ts";
import type { Drops } from "./drops.ts";
import { Label } from "./label.ts";
import { largestMessage, parityReach, turnBytes } from "./limits.ts";
import type { Peer } from "./peer.ts";
import type { LoopMemory, LoopPorts, WireAddress } from "./ports.ts";
import { ReceiveKey } from "./receive_key.ts";
import type { Relay } from "./relay.ts";
import { Ring } from "./ring.ts";
import type { LoopState } from "./state.ts";

/**
 * Strangers in one message with segments for this node, from which on the port counts as one that cannot be shared: QUIC's, of
 * the same peer. Whoever knows the name of no key here and no label proves nothing by what he sends.
 */
const mergedStrangers = 100;
const mergedShare = 0.001;

/** From the wire to the interface, or on to the next node. */
export class Receive {
  readonly #ports: LoopPorts;
  readonly #memory: LoopMemory;
  readonly #state: LoopState;
  readonly #drops: Drops;
  readonly #assembly: Assembly;
  readonly #delivery: Delivery;
  readonly #relay: Relay;
  readonly #control: Control;
  readonly #ring: Ring;
  /** Places of parity in the message, length behind each. */
  readonly #parities: number[] = [];
  readonly #propose = (segment: Uint8Array, length: number) => this.#repaired(segment, length);
  #repairing: ReceiveKey | undefined;
  #now = 0;
  #segments = 0;
  #merged = 0;
  #unshareable = false;
  /** Something in the message is for a key or a path that there is. */
  #known = false;
  /** Of the message that is being taken. */
  #from: WireAddress | null = null;
  #tos = 0;
  #position = 0;
  /** The peer whose address was compared with the message's. */
  #placed: Peer | undefined;
  #lastIndex = -1;
  #lastReceiver: ReceiveKey | Label | undefined;

  constructor(
    ports: LoopPorts,
    state: LoopState,
    drops: Drops,
    assembly: Assembly,
    delivery: Delivery,
    relay: Relay,
    control: Control,
  ) {
    this.#ports = ports;
    this.#memory = ports.memory;
    this.#state = state;
    this.#drops = drops;
    this.#assembly = assembly;
    this.#delivery = delivery;
    this.#relay = relay;
    this.#control = control;
    this.#ring = new Ring(ports.memory);
  }

  /**
   * Takes messages from the wire until there are no more, or as many as a turn has.
   * @returns whether there may be more
   */
  run(messages: number, now: number): boolean {
    const { wire } = this.#ports;
    let left = messages;
    let bytes = 0;
    this.#lastIndex = -1;
    for (; left > 0 && bytes < turnBytes; left--) {
      this.#makeRoom(now);
      const length = wire.receive(this.#ring.at, largestMessage);
      if (length < 0) {
        this.#flush();
        return false;
      }
      bytes += length;
      this.#take(length, wire.segment, wire.from, wire.tos, now);
    }
    this.#flush();
    return true;
  }

  /** Takes a segment that came over a session. */
  session(bytes: Uint8Array, now: number): void {
    if (bytes.length > largestMessage) return;
    this.#lastIndex = -1;
    this.#makeRoom(now);
    this.#memory.bytes.set(bytes, this.#ring.at);
    this.#take(bytes.length, bytes.length, null, 0, now);
    this.#flush();
  }

  /** What lies in the ring and waits for more is done with. */
  #flush(): void {
    this.#relay.flush();
    this.#delivery.flush();
  }

  #makeRoom(now: number): void {
    if (this.#assembly.waits) this.#assembly.release(this.#ring.overwritten, now);
  }

  #take(length: number, segment: number, from: WireAddress | null, tos: number, now: number): void {
    const { at, position } = this.#ring;
    this.#from = from;
    this.#tos = tos;
    this.#position = position;
    this.#placed = undefined;
    this.#known = false;
    let relayed = true;
    let strangers = 0;
    const step = segment > 0 ? segment : length;
    for (let offset = 0; offset < length; offset += step) {
      const bytes = Math.min(step, length - offset);
      const kind = kindOf(this.#memory.view, at + offset, bytes);
      if (kind === 0) strangers++;
      else if (!this.#segment(kind, at + offset, bytes, now)) relayed = false;
    }
    if (length === 0) strangers++;
    if (strangers > 0) this.#stranger(strangers, this.#known);
    // What is passed on is to lie close, so that it can leave in one send.
    if (this.#ring.keep(length, relayed)) this.#flush();
    // What is repaired is received behind the message, and kept like one.
    if (this.#parities.length > 0) this.#repair(now);
  }

  /** @returns whether it was passed on */
  #segment(kind: number, at: number, length: number, now: number): boolean {
    const { view } = this.#memory;
    const index = receiverOf(view, at);
    if (index !== this.#lastIndex) {
      this.#lastIndex = index;
      this.#lastReceiver = this.#state.receivers.get(index);
    }
    const receiver = this.#lastReceiver;
    if (receiver === undefined) {
      this.#drops.add("unknownReceiver");
      return false;
    }
    this.#known = true;
    this.#segments++;
    if (receiver instanceof Label) {
      this.#relay.take(receiver, at, length, this.#tos);
      return true;
    }
    if (kind === segmentKind.data) this.#data(receiver, at, length, now, false);
    else this.#parities.push(at, length);
    return false;
  }

  /** @returns whether it is authentic and new */
  #data(key: ReceiveKey, at: number, length: number, now: number, repaired: boolean): boolean {
    const { view } = this.#memory;
    const word = fragmentOf(view, at);
    const counter = counterOf(view, at);
    const space = numberSpace(word);
    if (!(counter >= 0)) {
      this.#drops.add("forged");
      return false;
    }
    // A channel is made only by what is authentic.
    const known = key.channels[space];
    if (known?.window.refuses(counter) === true) {
      // What was repaired in vain is none.
      if (!repaired) this.#drops.add("replayed");
      return false;
    }
    known?.decoder?.add(this.#memory.bytes, at, length, counter);
    const text = at + segmentHead;
    const size = length - segmentOverhead;
    if (!key.cipher.open(at + nonceAt, text, size, at + length - segmentTag)) {
      if (!repaired) this.#drops.add("forged");
      return false;
    }
    const channel = known ?? key.channel(space);
    const newest = counter > channel.window.highest;
    channel.window.take(counter);
    if (!repaired && (word & fragmentBit.control) === 0) {
      channel.meter.arrived(counter);
      if (length > channel.largest) channel.largest = length;
    }
    const { peer } = key;
    if (!key.heard) {
      key.heard = true;
      this.#ports.say({ say: "heard", peer: peer.index, epoch: key.epoch });
    }
    if (newest && (word & fragmentBit.direct) !== 0 && this.#placed !== peer) this.#place(peer);
    if (!peer.known) this.#drops.add("noPeer");
    else if ((word & fragmentBit.control) !== 0) this.#control.take(peer, word, text, size, now);
    else this.#assembly.take(channel, word, counter, text, size, this.#tos, this.#position, now);
    return true;
  }

  #repair(now: number): void {
    const { bytes, view } = this.#memory;
    this.#now = now;
    this.#from = null;
    this.#tos = 0;
    for (let i = 0; i < this.#parities.length; i += 2) {
      const [at, length] = [this.#parities[i]!, this.#parities[i + 1]!];
      const head = readParityHead(view, at, length);
      const key = head && this.#state.receivers.get(head.receiver);
      if (head === undefined || !(key instanceof ReceiveKey)) continue;
      const channel = key.channels[head.way];
      if (channel?.decoder === undefined) continue;
      channel.parityAt = now;
      channel.reach = head.stride * head.count + parityReach;
      this.#repairing = key;
      channel.decoder.addParity(bytes, at, length, this.#propose);
    }
    this.#parities.length = 0;
  }

  /** A segment that parity says was lost: it counts when it opens. */
  #repaired(segment: Uint8Array, length: number): void {
    const now = this.#now;
    const key = this.#repairing!;
    this.#makeRoom(now);
    const { at, position } = this.#ring;
    this.#memory.bytes.set(segment.subarray(0, length), at);
    this.#position = position;
    if (this.#data(key, at, length, now, true)) key.peer.repaired++;
    if (this.#ring.keep(length, false)) this.#flush();
  }

  /** Newer than all before it and sent without a relay: where it came from is where the peer is. */
  #place(peer: Peer): void {
    const from = this.#from;
    this.#placed = peer;
    if (from === null) return;
    let nearest;
    for (const way of peer.ways) {
      if (!way.direct || way.address === null) continue;
      if (way.address.equals(from)) return;
      if (nearest === undefined || way.address.isIpv4 === from.isIpv4) nearest = way;
    }
    nearest?.move(from);
    const { text } = from;
    if (peer.roamed === text) return;
    peer.roamed = text;
    this.#ports.say({ say: "roamed", peer: peer.index, endpoint: text });
  }

  #stranger(count: number, merged: boolean): void {
    this.#drops.add("stranger", count);
    if (!merged || this.#unshareable) return;
    this.#merged += count;
    if (this.#merged > mergedStrangers + this.#segments * mergedShare) {
      this.#unshareable = true;
      this.#ports.say({ say: "portUnshareable" });
    }
  }
}

import { PacketFilter } from "../filter/packet_filter.ts";
import { applyTables, filterSelf, peerOf } from "./apply_tables.ts";
import { Assembly } from "./assembly.ts";
import { Control } from "./control.ts";
import { Delivery } from "./delivery.ts";
import { Dispatch } from "./dispatch.ts";
import { Drops } from "./drops.ts";
import { forgetKey, receiveWith, sealWith, silence } from "./key_commands.ts";
import { parityPatience, turn } from "./limits.ts";
import { loopStats } from "./loop_stats.ts";
import { Outbox } from "./outbox.ts";
import { ParitySender } from "./parity_sender.ts";
import type { LoopPorts } from "./ports.ts";
import { Receive } from "./receive.ts";
import { Relay } from "./relay.ts";
import { emptyState } from "./state.ts";
import { Trains } from "./trains.ts";
import { Transmit } from "./transmit.ts";
import type { LoopCommand } from "./types.ts";

/** Milliseconds between looks at what waits, and at ways: while packets come and go, and while none do. */
const shortTick = 1;
const longTick = 50;
const idleTick = 250;

/**
 * Carries packets between the interface and the wire, sealed end to end. Sans-I/O: memory, ports and ciphers are given, time is
 * monotonic milliseconds. Nothing is allocated for a packet.
 */
export class PacketLoop {
  readonly #ports: LoopPorts;
  readonly #state = emptyState();
  readonly #filter = new PacketFilter();
  readonly #drops = new Drops();
  readonly #outbox: Outbox;
  readonly #delivery: Delivery;
  readonly #assembly: Assembly;
  readonly #transmit: Transmit;
  readonly #receive: Receive;
  readonly #control: Control;
  readonly #parity: ParitySender;
  /** When ways are looked after next. */
  #controlAt = 0;
  /** There was something to do at a port since then. */
  #turned = false;
  /** More than a turn's worth has arrived. */
  #behind = false;

  constructor(ports: LoopPorts) {
    const { memory, tun, wire } = ports;
    const [state, filter, drops] = [this.#state, this.#filter, this.#drops];
    this.#ports = ports;
    this.#outbox = new Outbox(memory, wire, drops);
    this.#delivery = new Delivery(memory, tun, filter, drops);
    this.#assembly = new Assembly(memory, this.#delivery, drops);
    const relay = new Relay(memory, this.#outbox, drops);
    const dispatch = new Dispatch(memory, this.#outbox, drops, (event) => ports.say(event));
    const trains = new Trains(memory, dispatch);
    this.#parity = new ParitySender(memory, dispatch, (way) => trains.flush(way));
    this.#control = new Control(ports, state, dispatch, this.#parity);
    this.#receive = new Receive(
      ports,
      state,
      drops,
      this.#assembly,
      this.#delivery,
      relay,
      this.#control,
    );
    this.#transmit = new Transmit(ports, state, filter, drops, dispatch, trains, this.#parity);
  }

  /** Does as it is told. `stop` is for whoever turns the loop. */
  command(command: LoopCommand, now: number): void {
    switch (command.do) {
      case "tables": {
        const { wire } = this.#ports;
        const gone = applyTables(this.#state, command.tables, wire, this.#outbox);
        this.#filter.replace(filterSelf(command.tables));
        this.#control.greet(now);
        for (const peer of gone) {
          silence(peer);
          while (peer.receiving.length > 0) this.#forget(peer.index, peer.receiving[0]!.epoch);
          this.#state.peers.delete(peer.index);
        }
        break;
      }
      case "receive": {
        const peer = peerOf(this.#state, command.peer);
        if (peer !== undefined) receiveWith(this.#state, peer, command.key, this.#ports);
        break;
      }
      case "seal": {
        const peer = peerOf(this.#state, command.peer);
        if (peer === undefined) break;
        sealWith(peer, command.key, this.#ports);
        // So that the other end hears of the key, whether or not there is a packet.
        this.#control.hello(peer, now);
        break;
      }
      case "forget":
        this.#forget(command.peer, command.epoch);
        break;
      case "silence":
        silence(this.#state.peers.get(command.peer));
        this.#dismiss(command.peer);
        break;
      case "segment":
        this.#receive.session(command.bytes, now);
        break;
      case "stats":
        this.#ports.say({ say: "stats", stats: loopStats(this.#state, this.#drops) });
        break;
      // What is larger than the interface's size does not come; the path's is told to senders when it is the smaller one.
      case "interfaceMtu":
      case "stop":
    }
  }

  /**
   * Carries what waits at either port, a bounded amount of each.
   * @returns whether there may be more
   */
  turn(now: number): boolean {
    this.#turned = true;
    this.#outbox.drain();
    const received = this.#receive.run(turn, now);
    this.#behind = received;
    this.#expire(now);
    const sent = this.#transmit.run(turn, now);
    return received || sent;
  }

  /** What time alone brings. @returns milliseconds until there may be more of it */
  tick(now: number): number {
    this.#expire(now);
    this.#parity.tick(now);
    if (now >= this.#controlAt) {
      this.#controlAt = now + (this.#turned ? longTick : idleTick);
      this.#turned = false;
      this.#control.tick(now);
    }
    if (this.#assembly.waits) return shortTick;
    const left = Math.max(shortTick, this.#controlAt - now);
    return this.#parity.waits ? Math.min(parityPatience, left) : left;
  }

  #expire(now: number): void {
    // What is missing may wait to be received, where this thread had no time for it.
    if (this.#behind || !this.#assembly.waits) return;
    this.#assembly.expire(now);
    this.#delivery.flush();
  }

  #forget(index: number, epoch: number): void {
    const channels = forgetKey(this.#state, index, epoch);
    for (const channel of channels) this.#assembly.forget(channel);
    this.#dismiss(index);
  }

  /** A peer that is in no table and has no key is none. */
  #dismiss(index: number): void {
    const peer = this.#state.peers.get(index);
    if (peer === undefined || peer.known) return;
    if (peer.sealing === undefined && peer.receiving.length === 0) this.#state.peers.delete(index);
  }
}

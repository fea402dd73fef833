import { calmSegments } from "../fec/fec_policy.ts";
import { fragmentBit, maxWays, segmentHead, segmentOverhead } from "../wire/segment.ts";
import {
  controlBytes,
  controlKind,
  type ControlMessage,
  readControl,
  writeControl,
} from "./control_message.ts";
import type { Dispatch } from "./dispatch.ts";
import { largestSlot } from "./limits.ts";
import type { ParitySender } from "./parity_sender.ts";
import { smallProbe } from "./path_probe.ts";
import type { Peer } from "./peer.ts";
import type { LoopMemory, LoopPorts } from "./ports.ts";
import type { ReceiveKey } from "./receive_key.ts";
import type { LoopState } from "./state.ts";
import type { Way } from "./way.ts";

/** What the loops of two nodes say to each other beside the packets: looks after ways. */
export class Control {
  readonly #ports: LoopPorts;
  readonly #memory: LoopMemory;
  readonly #state: LoopState;
  readonly #dispatch: Dispatch;
  readonly #parity: ParitySender;
  readonly #at: number;

  constructor(ports: LoopPorts, state: LoopState, dispatch: Dispatch, parity: ParitySender) {
    this.#ports = ports;
    this.#memory = ports.memory;
    this.#state = state;
    this.#dispatch = dispatch;
    this.#parity = parity;
    this.#at = ports.memory.allocate(largestSlot + segmentOverhead);
  }

  /** Sends the probes that are due. */
  tick(now: number): void {
    for (const peer of this.#state.peers.values()) {
      for (const key of peer.receiving) this.#measure(key, now);
      if (!peer.known || peer.sealing === undefined) continue;
      let changed = false;
      for (const way of peer.ways) changed = this.#look(peer, way, now) || changed;
      if (changed) this.#changed(peer);
    }
  }

  /** Has a peer hear of a new key. */
  hello(peer: Peer, now: number): void {
    if (!peer.known) return;
    for (const way of peer.ways) {
      this.#greet(peer, way, now);
    }
    this.#changed(peer);
  }

  /** The same on ways that are new. */
  greet(now: number): void {
    for (const peer of this.#state.peers.values()) {
      if (peer.sealing === undefined) continue;
      for (const way of peer.ways) {
        if (!way.greeted) this.#greet(peer, way, now);
      }
      this.#changed(peer);
    }
  }

  #greet(peer: Peer, way: Way, now: number): void {
    way.greeted = true;
    this.#probe(peer, way, smallProbe, now);
    // It may be lost.
    way.probe?.ask();
  }

  /** Takes what a peer says. @param word fragment word of its segment */
  take(peer: Peer, word: number, at: number, length: number, now: number): void {
    const said = readControl(this.#memory.view, at, length);
    if (said?.kind === controlKind.probe) {
      const way = answerWay(peer, (word & fragmentBit.direct) !== 0);
      if (way === undefined) return;
      const bytes = length + segmentOverhead;
      const number = word >>> 24 & 31;
      this.#send(peer, way, { ...said, kind: controlKind.answer, way: number, bytes }, 0);
    } else if (said?.kind === controlKind.answer) {
      const way = peer.ways.find(({ number }) => number === said.way);
      if (way?.probe?.answered(said.number, said.bytes, now) === true) {
        this.#adopt(way);
        this.#changed(peer);
      }
    } else if (said?.kind === controlKind.loss && peer.fec) {
      const way = peer.ways.find(({ number }) => number === said.way);
      if (way === undefined || said.segments === 0) return;
      const { segments, lost, burst } = said;
      const inflated = way.probe?.inflated(now) === true;
      this.#parity.report(way, { loss: lost / segments, burst, segments, inflated }, now);
    }
  }

  /** Looks at what was lost of what a peer sent, and says so as long as there is something to say. */
  #measure(key: ReceiveKey, now: number): void {
    const { peer, channels } = key;
    for (let way = 0; way < maxWays; way++) {
      const channel = channels[way];
      if (channel === undefined) continue;
      const { meter } = channel;
      meter.look();
      const age = now - channel.reportedAt;
      const { segments, lost, burst } = meter;
      if (!reportDue(segments, age)) continue;
      channel.reportedAt = now;
      peer.lost += lost;
      meter.take();
      if (!peer.fec) continue;
      const bit = 1 << way;
      channel.calm = lost > 0 ? 0 : channel.calm + segments;
      if (lost > 0) peer.lossyWays |= bit;
      if ((peer.lossyWays & bit) === 0) continue;
      const back = peer.usable[0];
      const report = { kind: controlKind.loss, way, burst, segments, lost } as const;
      if (back !== undefined) this.#send(peer, back, report, 0);
      if (channel.calm >= 2 * calmSegments) {
        peer.lossyWays &= ~bit;
        channel.decoder = undefined;
      } else channel.expectRepair();
    }
  }

  /** @returns whether the way is another one now */
  #look(peer: Peer, way: Way, now: number): boolean {
    const { probe } = way;
    if (probe === undefined) return false;
    const [alive, sure] = [probe.alive, probe.sure];
    let changed = way.refused > 0 && probe.refused(way.refused, now);
    way.refused = 0;
    for (const bytes of probe.due(now, way.used)) {
      if (!this.#probe(peer, way, bytes, now)) changed = probe.refused(bytes, now) || changed;
    }
    way.used = false;
    return this.#adopt(way) || changed || probe.alive !== alive || probe.sure !== sure;
  }

  #adopt(way: Way): boolean {
    const size = Math.min(way.probe?.size ?? way.size, largestSlot);
    if (size === way.size) return false;
    way.size = size;
    return true;
  }

  /** @returns false when the interface does not take it */
  #probe(peer: Peer, way: Way, bytes: number, now: number): boolean {
    const { probe } = way;
    if (probe === undefined) return true;
    const number = probe.sent(bytes, now);
    const message = { kind: controlKind.probe, way: way.number, bytes, number } as const;
    return this.#send(peer, way, message, bytes - segmentOverhead);
  }

  #send(peer: Peer, way: Way, message: ControlMessage, padded: number): boolean {
    const key = peer.sealing;
    if (key === undefined) return true;
    const at = this.#at;
    const text = at + segmentHead;
    const length = Math.max(padded, controlBytes.loss);
    this.#memory.bytes.fill(0, text, text + length);
    writeControl(this.#memory.view, text, message);
    const word = (fragmentBit.last | fragmentBit.control | way.bits) >>> 0;
    key.seal(at, word, way.label, length);
    return this.#dispatch.sendControl(way, at, length + segmentOverhead);
  }

  /** Says what a peer's paths carry now, when that is news. */
  #changed(peer: Peer): void {
    peer.sortWays();
    const sizes = peer.usable.filter(({ probe }) => probe !== undefined).map(({ size }) => size);
    if (sizes.length === 0) return;
    const bytes = Math.min(...sizes);
    if (bytes === peer.pathMtu) return;
    peer.pathMtu = bytes;
    this.#ports.say({ say: "pathMtu", peer: peer.index, bytes });
  }
}

/** The more there is to go by, the sooner. */
function reportDue(segments: number, ms: number): boolean {
  return segments >= 500 && ms >= 100 || segments >= 50 && ms >= 1_000 ||
    segments > 0 && ms >= 5_000;
}

/** Back the way it came, as far as that can be known: ways have other numbers here. */
function answerWay(peer: Peer, direct: boolean): Way | undefined {
  const { usable } = peer;
  return usable.find((way) => way.direct === direct) ?? usable[0];
}

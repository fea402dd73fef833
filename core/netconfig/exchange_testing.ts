import type { NodeId } from "../identity/types.ts";
import type { ConfigStore } from "./config_store.ts";
import { ConfigExchange, type ExchangeEffects, type ExchangeNews } from "./exchange.ts";

/** Support for tests only: exchanges over links that lose, repeat and reorder, in virtual time. */

export interface LinkFaults {
  /** Of all messages, 0 to 1. */
  readonly loss: number;
  readonly repeat: number;
  /** Each message takes so long, at random: what is sent later may arrive earlier. */
  readonly latencyMs: readonly [number, number];
}

export const goodLink: LinkFaults = { loss: 0, repeat: 0, latencyMs: [1, 5] };

interface Member {
  readonly store: ConfigStore;
  readonly exchange: ConfigExchange;
  readonly news: ExchangeNews[];
}

interface Delivery {
  readonly at: number;
  readonly from: NodeId;
  readonly to: NodeId;
  /** Of the link: what is under way when it goes down is lost. */
  readonly life: number;
  readonly bytes: Uint8Array;
}

/** A message of a member, and whether it goes through; may be put in another's place. */
export type Tamper = (from: NodeId, to: NodeId, bytes: Uint8Array) => Uint8Array;

export class ExchangeMesh {
  now = 0;
  messages = 0;
  bytes = 0;
  tamper: Tamper = (_from, _to, bytes) => bytes;
  readonly #members = new Map<NodeId, Member>();
  readonly #links = new Map<string, { faults: LinkFaults; life: number }>();
  readonly #random: () => number;
  #queue: Delivery[] = [];
  #lives = 0;

  constructor(seed: number) {
    let state = seed >>> 0;
    // xorshift32: enough for a schedule, and the same one each time.
    this.#random = () => {
      state = state === 0 ? 0x9e3779b9 : state;
      state ^= state << 13;
      state ^= state >>> 17;
      state ^= state << 5;
      return (state >>> 0) / 2 ** 32;
    };
  }

  add(id: NodeId, store: ConfigStore): void {
    this.#members.set(id, { store, exchange: new ConfigExchange(store), news: [] });
  }

  store(id: NodeId): ConfigStore {
    return this.#members.get(id)!.store;
  }

  news(id: NodeId): readonly ExchangeNews[] {
    return this.#members.get(id)!.news;
  }

  connect(a: NodeId, b: NodeId, faults: LinkFaults = goodLink): void {
    this.#links.set(linkKey(a, b), { faults, life: ++this.#lives });
    for (const [one, other] of [[a, b], [b, a]] as const) {
      this.#apply(one, this.#members.get(one)!.exchange.linkUp(other, this.now));
    }
  }

  disconnect(a: NodeId, b: NodeId): void {
    if (!this.#links.delete(linkKey(a, b))) return;
    for (const [one, other] of [[a, b], [b, a]] as const) {
      this.#apply(one, this.#members.get(one)!.exchange.linkDown(other, this.now));
    }
  }

  heal(): void {
    for (const link of this.#links.values()) link.faults = goodLink;
  }

  /** The store of this node was changed by itself. */
  changed(id: NodeId): void {
    this.#apply(id, this.#members.get(id)!.exchange.changed(this.now));
  }

  /** As if `from` had said so. */
  say(from: NodeId, to: NodeId, bytes: Uint8Array): void {
    this.#send(from, to, bytes);
  }

  run(ms: number): void {
    const end = this.now + ms;
    let idle = 0;
    for (;;) {
      let at = end;
      let sleeper: NodeId | undefined;
      for (const [id, { exchange }] of this.#members) {
        const wake = Math.max(exchange.nextWake(), this.now);
        if (wake < at) [at, sleeper] = [wake, id];
      }
      let next: Delivery | undefined;
      for (const delivery of this.#queue) {
        if (delivery.at <= at) [at, next] = [delivery.at, delivery];
      }
      if (next === undefined && sleeper === undefined) break;
      idle = at > this.now || next !== undefined ? 0 : idle + 1;
      if (idle > 1_000) throw new Error(`${sleeper} wakes again and again for nothing`);
      this.now = Math.max(this.now, at);
      if (next !== undefined) this.#deliver(next);
      else this.#apply(sleeper!, this.#members.get(sleeper!)!.exchange.tick(this.now));
    }
    this.now = end;
  }

  #deliver(delivery: Delivery): void {
    this.#queue = this.#queue.filter((other) => other !== delivery);
    const { from, to, bytes, life } = delivery;
    if (this.#links.get(linkKey(from, to))?.life !== life) return;
    this.#apply(to, this.#members.get(to)!.exchange.receive(from, bytes, this.now));
  }

  #apply(id: NodeId, effects: ExchangeEffects): void {
    this.#members.get(id)!.news.push(...effects.news);
    for (const { peer, bytes } of effects.messages) {
      this.#send(id, peer, this.tamper(id, peer, bytes));
    }
  }

  #send(from: NodeId, to: NodeId, bytes: Uint8Array): void {
    const link = this.#links.get(linkKey(from, to));
    if (link === undefined) return;
    const { faults, life } = link;
    this.messages++;
    this.bytes += bytes.length;
    const copies = this.#random() < faults.repeat ? 2 : 1;
    for (let i = 0; i < copies; i++) {
      if (this.#random() < faults.loss) continue;
      const [low, high] = faults.latencyMs;
      const at = this.now + low + this.#random() * (high - low);
      this.#queue.push({ at, from, to, life, bytes });
    }
  }
}

function linkKey(a: NodeId, b: NodeId): string {
  return a < b ? `${a} ${b}` : `${b} ${a}`;
}

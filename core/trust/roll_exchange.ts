import { TokenBucket } from "../gossip/token_bucket.ts";
import type { NodeId } from "../identity/types.ts";
import type { TrustError } from "./errors.ts";
import type { TrustStore } from "./trust_store.ts";

/** Said again after so long to a neighbour that has not shown that it heard. */
const repeatMs = 60_000;
/** Words taken from one neighbour: at once and per second; each costs two signatures to check. */
const takenBurst = 8;
const takenPerSecond = 0.5;

export type RollNews =
  | { readonly type: "roll" }
  | { readonly type: "refused"; readonly peer: NodeId; readonly error: TrustError };

export interface RollEffects {
  readonly messages: readonly { readonly peer: NodeId; readonly bytes: Uint8Array }[];
  readonly news: readonly RollNews[];
}

interface Neighbour {
  readonly id: NodeId;
  readonly taken: TokenBucket;
  /** What it has shown to have. */
  has: string;
  /** What it was told last. */
  said: string;
  saidAt: number;
}

/** Spreads the last word on a CA roll: sans I/O. A message is a signed roll and nothing else; hearing the same one back ends the matter. */
export class RollExchange {
  readonly #store: TrustStore;
  readonly #neighbours = new Map<NodeId, Neighbour>();
  #messages: { peer: NodeId; bytes: Uint8Array }[] = [];
  #news: RollNews[] = [];

  constructor(store: TrustStore) {
    this.#store = store;
  }

  linkUp(peer: NodeId, now: number): RollEffects {
    const taken = new TokenBucket(takenBurst, takenPerSecond, now);
    const neighbour: Neighbour = { id: peer, taken, has: "", said: "", saidAt: now };
    this.#neighbours.set(peer, neighbour);
    this.#say(neighbour, now);
    return this.#effects();
  }

  linkDown(peer: NodeId): RollEffects {
    this.#neighbours.delete(peer);
    return this.#effects();
  }

  receive(peer: NodeId, bytes: Uint8Array, now: number): RollEffects {
    const neighbour = this.#neighbours.get(peer);
    if (neighbour !== undefined && neighbour.taken.take(1, now)) this.#take(neighbour, bytes, now);
    return this.#effects();
  }

  /** This node has a new word, from elsewhere than its neighbours. */
  changed(now: number): RollEffects {
    this.#spread(now);
    return this.#effects();
  }

  /** Does whatever is due. Harmless when called early or late. */
  tick(now: number): RollEffects {
    for (const neighbour of this.#neighbours.values()) {
      if (this.#lacks(neighbour) && neighbour.saidAt + repeatMs <= now) this.#say(neighbour, now);
    }
    return this.#effects();
  }

  /** When `tick()` is next needed, in the caller's monotonic milliseconds. */
  nextWake(): number {
    let at = Infinity;
    for (const neighbour of this.#neighbours.values()) {
      if (this.#lacks(neighbour)) at = Math.min(at, neighbour.saidAt + repeatMs);
    }
    return at;
  }

  #take(neighbour: Neighbour, bytes: Uint8Array, now: number): void {
    const { news, error } = this.#store.offer(bytes);
    if (error === undefined) {
      const { hash } = this.#store.roll!;
      const repeated = neighbour.has === hash;
      neighbour.has = hash;
      if (news) {
        this.#news.push({ type: "roll" });
        this.#spread(now);
      }
      // Said back, so that it need not repeat itself; again when it does.
      if (repeated || neighbour.said !== hash) this.#say(neighbour, now);
    } else if (error.code === "TRUST_OLD") {
      this.#say(neighbour, now);
    } else {
      this.#news.push({ type: "refused", peer: neighbour.id, error });
    }
  }

  #spread(now: number): void {
    for (const neighbour of this.#neighbours.values()) {
      if (this.#lacks(neighbour)) this.#say(neighbour, now);
    }
  }

  #lacks({ has }: Neighbour): boolean {
    const { roll } = this.#store;
    return roll !== null && has !== roll.hash;
  }

  #say(neighbour: Neighbour, now: number): void {
    const { roll } = this.#store;
    if (roll === null) return;
    neighbour.said = roll.hash;
    neighbour.saidAt = now;
    this.#messages.push({ peer: neighbour.id, bytes: roll.bytes });
  }

  #effects(): RollEffects {
    const effects = { messages: this.#messages, news: this.#news };
    this.#messages = [];
    this.#news = [];
    return effects;
  }
}

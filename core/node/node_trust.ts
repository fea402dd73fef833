import type { Clock } from "../clock/clock.ts";
import { errorText } from "../errors/mod.ts";
import type { NodeId, Trust, TrustAnchor } from "../identity/types.ts";
import type { LogFn } from "../plugin/types.ts";
import { type RollEffects, RollExchange, type SignedRoll, TrustStore } from "../trust/mod.ts";
import { WakeTimer } from "./wake_timer.ts";

/** Where the last word on a CA roll is kept. */
export interface TrustStorage {
  readonly stored: Uint8Array | undefined;
  save(bytes: Uint8Array): Promise<void>;
}

export interface NodeTrustOptions {
  readonly network: string;
  /** The CA that issued this node's certificate. */
  readonly root: TrustAnchor;
  readonly storage: TrustStorage | undefined;
  readonly clock: Clock;
  readonly log: LogFn;
}

interface Wire {
  send(peer: NodeId, bytes: Uint8Array): void;
  /** Other certificates count from now on. */
  changed(): void;
}

/** Whose certificates count at this node: gives the trust store its disk, its timer and its wire. */
export class NodeTrust implements AsyncDisposable {
  readonly #options: NodeTrustOptions;
  readonly #store: TrustStore;
  readonly #exchange: RollExchange;
  readonly #timer: WakeTimer;
  #wire: Wire = { send: () => {}, changed: () => {} };
  #saving: Promise<void> | undefined;

  constructor(options: NodeTrustOptions) {
    const { network, root, storage, clock, log } = options;
    this.#options = options;
    this.#store = new TrustStore({ network, root });
    this.#exchange = new RollExchange(this.#store);
    this.#timer = new WakeTimer({
      now: () => clock.now(),
      nextWake: () => this.#exchange.nextWake(),
      tick: (now) => this.#apply(this.#exchange.tick(now)),
    });
    if (storage?.stored === undefined) return;
    const { error } = this.#store.offer(storage.stored);
    if (error !== undefined) {
      log("error", "the stored word on a CA roll is not used", {
        code: error.code,
        error: error.message,
      });
    }
  }

  /** Before this, nothing is sent. */
  connect(wire: Wire): void {
    this.#wire = wire;
  }

  get trust(): Trust {
    return this.#store.trust;
  }

  /** The last word; null while there was none. */
  get roll(): SignedRoll | null {
    return this.#store.roll;
  }

  /** The CA that certificates should be of. */
  get newest(): TrustAnchor {
    return this.#store.newest;
  }

  linkUp(peer: NodeId): void {
    this.#apply(this.#exchange.linkUp(peer, this.#now()));
  }

  linkDown(peer: NodeId): void {
    this.#apply(this.#exchange.linkDown(peer));
  }

  receive(peer: NodeId, bytes: Uint8Array): void {
    this.#apply(this.#exchange.receive(peer, bytes, this.#now()));
  }

  /** A word that came another way than over a link. @throws {TrustError} it is not taken, and more than old news */
  adopt(bytes: Uint8Array): void {
    const { news, error } = this.#store.offer(bytes);
    if (error !== undefined && error.code !== "TRUST_OLD") throw error;
    if (!news) return;
    this.#tellChanged();
    this.#apply(this.#exchange.changed(this.#now()));
  }

  #apply({ messages, news }: RollEffects): void {
    for (const item of news) {
      if (item.type === "roll") {
        // Before anything is sent on: who hears of it may show a certificate of the new CA the next moment.
        this.#tellChanged();
      } else {
        const { code, message } = item.error;
        this.#options.log("warn", "the word on a CA roll was refused", {
          peer: item.peer,
          code,
          error: message,
        });
      }
    }
    for (const { peer, bytes } of messages) this.#wire.send(peer, bytes);
    this.#timer.update();
  }

  #tellChanged(): void {
    const { roll, to } = this.#store.roll!;
    this.#options.log("info", "whose certificates count has changed", {
      stage: roll.stage,
      serial: roll.serial,
      ca: to.fingerprint,
    });
    this.#saving = this.#save(this.#saving);
    this.#wire.changed();
  }

  /** A disk that refuses costs the next start its head start, and nothing now. */
  async #save(before: Promise<void> | undefined): Promise<void> {
    const { storage, log } = this.#options;
    await before;
    try {
      await storage?.save(this.#store.roll!.bytes);
    } catch (error) {
      log("warn", "the word on a CA roll could not be saved", { error: errorText(error) });
    }
  }

  #now(): number {
    return this.#options.clock.now();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#timer[Symbol.dispose]();
    await this.#saving;
  }
}

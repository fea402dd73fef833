import { hkdfSync } from "node:crypto";
import {
  type CipherName,
  decodeKeyMessage,
  encodeKeyMessage,
  type KeyMessage,
} from "./key_message.ts";

/** Keys of one direction. */
export interface DirectionKey {
  readonly epoch: number;
  /** The name its receiver gave it: on every segment. */
  readonly receiver: number;
  readonly cipher: CipherName;
  /** 16 or 32 bytes, as the cipher wants. */
  readonly key: Uint8Array;
}

/** What the data plane is to do, in this order. */
export type KeyAction =
  | { readonly do: "send"; readonly message: Uint8Array }
  /** Take segments under this key from now on. */
  | { readonly do: "receive"; readonly key: DirectionKey }
  /** Seal with this key from now on. */
  | { readonly do: "seal"; readonly key: DirectionKey }
  /** Take nothing under the keys of this epoch any more. */
  | { readonly do: "forget"; readonly epoch: number }
  /** There is no key that may still be sealed with. */
  | { readonly do: "silence"; readonly reason: string };

export interface KeyTimes {
  /** Milliseconds after which keys are replaced. */
  readonly rekeyMs: number;
  /** Milliseconds after which a key is not sealed with, whether or not there is another. */
  readonly expireMs: number;
  /** Milliseconds for which a replaced key is still received under. */
  readonly lingerMs: number;
  /** Milliseconds an offer waits for its answer before it is made again. */
  readonly retryMs: number;
}

export const defaultKeyTimes: KeyTimes = {
  rekeyMs: 120_000,
  expireMs: 180_000,
  lingerMs: 15_000,
  retryMs: 5_000,
};

/** Segments sealed with one key: replaced at the first number, not sealed with beyond the second. */
export const sealedBeforeRekey = 2 ** 30;
export const sealedAtMost = 2 ** 32;

export interface KeyAgreementOptions {
  /** Exactly one end of a pair is the one that offers: the one with the lower id. */
  readonly initiator: boolean;
  /** This end's ciphers, the best first. */
  readonly ciphers: readonly CipherName[];
  /** 32 random bytes. */
  readonly secret: () => Uint8Array;
  /** A receiver index nobody uses here. */
  readonly receiver: () => number;
  readonly times?: Partial<KeyTimes>;
}

interface Epoch {
  readonly epoch: number;
  readonly since: number;
  /** What this end seals with. */
  readonly seal: DirectionKey;
}

/**
 * Agrees on keys with one other end and replaces them before they are worn out, without a gap: both ends receive under the new
 * ones before anyone seals with them. Sans-I/O: time is monotonic milliseconds.
 *
 * The channel is TLS 1.3 between the two ends, so secrets travel in it as they are; both contribute, and keys of two epochs
 * have nothing in common: `HKDF-SHA-256(initiator's secret || responder's secret, info)`.
 */
export class KeyAgreement {
  readonly #options: KeyAgreementOptions;
  readonly #times: KeyTimes;
  #connected = false;
  #unanswered = 0;
  /** What is sealed with. */
  #current: Epoch | undefined;
  /** The responder received under it already, and seals with it once the initiator has. */
  #prepared: Epoch | undefined;
  #offer: {
    readonly epoch: number;
    readonly receiver: number;
    readonly secret: Uint8Array;
    at: number;
  } | undefined;
  #lastEpoch = 0;
  readonly #lingering: { readonly epoch: number; readonly until: number }[] = [];
  #silent = true;

  constructor(options: KeyAgreementOptions) {
    this.#options = options;
    this.#times = { ...defaultKeyTimes, ...options.times };
  }

  /** Epoch sealed with now; 0 for none. */
  get epoch(): number {
    return this.#current?.epoch ?? 0;
  }

  /** Offers made since the last answer. */
  get unanswered(): number {
    return this.#unanswered;
  }

  /** The channel to the other end is there (anew). */
  connected(now: number): KeyAction[] {
    this.#connected = true;
    this.#offer = undefined;
    this.#unanswered = 0;
    return this.#options.initiator ? this.#makeOffer(now) : [];
  }

  /** The channel is gone; keys live on until they expire. */
  disconnected(): void {
    this.#connected = false;
    this.#offer = undefined;
  }

  /** @throws {PulseError} KEY_MESSAGE_INVALID: the channel is to be closed */
  receive(bytes: Uint8Array, now: number): KeyAction[] {
    const said = decodeKeyMessage(bytes);
    if (said[0] === "offer") return this.#answer(said, now);
    if (said[0] === "answer") return this.#complete(said, now);
    if (this.#offer?.epoch !== said[1]) return [];
    this.#offer = undefined;
    this.#unanswered = 0;
    return this.#silence(`the other end refuses: ${said[2]}`);
  }

  /** A segment under the keys of this epoch has been authenticated: whoever sealed it has them all. */
  heard(epoch: number, now: number): KeyAction[] {
    if (this.#prepared?.epoch !== epoch) return [];
    const prepared = this.#prepared;
    this.#prepared = undefined;
    return this.#sealWith(prepared, now);
  }

  /** @param sealed segments sealed with the current key */
  tick(now: number, sealed: number): KeyAction[] {
    const actions: KeyAction[] = [];
    while (this.#lingering.length > 0 && this.#lingering[0]!.until <= now) {
      actions.push({ do: "forget", epoch: this.#lingering.shift()!.epoch });
    }
    const { rekeyMs, expireMs, retryMs } = this.#times;
    const current = this.#current;
    const age = current === undefined ? Infinity : now - current.since;
    if (current !== undefined && (age >= expireMs || sealed >= sealedAtMost)) {
      this.#retire(now);
      actions.push(...this.#silence("the key has expired and no new one was agreed on"));
    }
    const due = age >= rekeyMs || sealed >= sealedBeforeRekey;
    if (this.#options.initiator && this.#connected && due) {
      if (this.#offer === undefined || now - this.#offer.at >= retryMs) {
        actions.push(...this.#makeOffer(now));
      }
    }
    return actions;
  }

  #makeOffer(now: number): KeyAction[] {
    const offer = {
      epoch: this.#lastEpoch + 1,
      receiver: this.#options.receiver(),
      secret: this.#options.secret(),
      at: now,
    };
    this.#lastEpoch = offer.epoch;
    this.#offer = offer;
    this.#unanswered++;
    return [say(["offer", offer.epoch, offer.receiver, offer.secret, [...this.#options.ciphers]])];
  }

  #answer(said: Extract<KeyMessage, readonly ["offer", ...unknown[]]>, now: number): KeyAction[] {
    const [, epoch, theirs, secret, offered] = said;
    if (this.#options.initiator) return [say(["refuse", epoch, "only the lower id offers keys"])];
    const cipher = this.#options.ciphers.find((name) => offered.includes(name));
    if (cipher === undefined) {
      return [
        say(["refuse", epoch, "no cipher in common"]),
        ...this.#silence("no cipher in common"),
      ];
    }
    // Whoever restarted counts from 1 again: an epoch is a name, not an order.
    const known = this.#current?.epoch === epoch || this.#prepared?.epoch === epoch;
    const own = this.#options.secret();
    const receiver = this.#options.receiver();
    const keys = derive(secret, own, cipher);
    const actions: KeyAction[] = [];
    if (known) actions.push(this.#drop(epoch));
    if (this.#prepared !== undefined) this.#linger(this.#prepared.epoch, now);
    actions.push(
      { do: "receive", key: { epoch, receiver, cipher, key: keys.toResponder } },
      say(["answer", epoch, receiver, own, cipher]),
    );
    const seal = { epoch, receiver: theirs, cipher, key: keys.toInitiator };
    this.#prepared = { epoch, since: now, seal };
    // Without a key there is nothing to lose: the initiator has this one as soon as it has the answer.
    if (this.#current === undefined) actions.push(...this.heard(epoch, now));
    return actions;
  }

  #complete(
    said: Extract<KeyMessage, readonly ["answer", ...unknown[]]>,
    now: number,
  ): KeyAction[] {
    const [, epoch, theirs, secret, cipher] = said;
    const offer = this.#offer;
    if (offer === undefined || offer.epoch !== epoch) return [];
    this.#unanswered = 0;
    if (!this.#options.ciphers.includes(cipher)) {
      return this.#silence(`the other end chose ${cipher}, which was not offered`);
    }
    this.#offer = undefined;
    const keys = derive(offer.secret, secret, cipher);
    const receive = { epoch, receiver: offer.receiver, cipher, key: keys.toInitiator };
    const seal = { epoch, receiver: theirs, cipher, key: keys.toResponder };
    return [{ do: "receive", key: receive }, ...this.#sealWith({ epoch, since: now, seal }, now)];
  }

  #sealWith(next: Epoch, now: number): KeyAction[] {
    this.#retire(now);
    this.#current = next;
    this.#silent = false;
    return [{ do: "seal", key: next.seal }];
  }

  #retire(now: number): void {
    if (this.#current === undefined) return;
    this.#linger(this.#current.epoch, now);
    this.#current = undefined;
  }

  #linger(epoch: number, now: number): void {
    this.#lingering.push({ epoch, until: now + this.#times.lingerMs });
  }

  /** The other end begins an epoch anew that is in use here: it restarted and has none of these keys. */
  #drop(epoch: number): KeyAction {
    if (this.#prepared?.epoch === epoch) this.#prepared = undefined;
    if (this.#current?.epoch === epoch) this.#current = undefined;
    for (let i = this.#lingering.length - 1; i >= 0; i--) {
      if (this.#lingering[i]!.epoch === epoch) this.#lingering.splice(i, 1);
    }
    return { do: "forget", epoch };
  }

  #silence(reason: string): KeyAction[] {
    if (this.#silent || this.#current !== undefined) return [];
    this.#silent = true;
    return [{ do: "silence", reason }];
  }
}

function say(message: KeyMessage): KeyAction {
  return { do: "send", message: encodeKeyMessage(message) };
}

function derive(initiator: Uint8Array, responder: Uint8Array, cipher: CipherName) {
  const input = new Uint8Array(64);
  input.set(initiator);
  input.set(responder, 32);
  const length = cipher === "aes-128-gcm" ? 16 : 32;
  const key = (direction: string) =>
    new Uint8Array(
      hkdfSync("sha256", input, new Uint8Array(0), `pulse data v1 ${cipher} ${direction}`, length),
    );
  return { toResponder: key("initiator to responder"), toInitiator: key("responder to initiator") };
}

/** Whether this end offers: exactly one of two does. */
export function offersKeys(self: string, peer: string): boolean {
  return self < peer;
}

import type { NodeId } from "../identity/types.ts";
import { TokenBucket } from "../gossip/token_bucket.ts";
import type { ConfigStore, Offered } from "./config_store.ts";
import { NetConfigError } from "./errors.ts";
import {
  type Announcement,
  type Ask,
  type Chunk,
  chunkBytes,
  decodeExchange,
  encodeExchange,
  type ExchangeMessage,
} from "./exchange_message.ts";
import { comparePositions } from "./position.ts";
import { Transfer } from "./transfer.ts";

/** Said again after so long, for a neighbour that did not hear it. */
const repeatMs = 60_000;
/** A neighbour that has less is told what we have, but not twice within this. */
const tellAgainMs = 2_000;
/** Configs on their way here at once. */
const maxTransfers = 4;
/** After a config that was not what its neighbour promised it is not asked again for so long; doubles up to the last. */
const distrustMs = { first: 5_000, last: 600_000 };
/** Bytes of configs one neighbour may fetch: at once and per second. */
const serveBytes = { burst: 16 * 1024 * 1024, perSecond: 1024 * 1024 };
/** Grants one neighbour may have us verify: at once and per second. */
const verifyGrants = { burst: 16, perSecond: 0.2 };
/** Refused hashes remembered, so that nobody makes us fetch them again. */
const maxRemembered = 64;

export interface ExchangeEffects {
  readonly messages: readonly { readonly peer: NodeId; readonly bytes: Uint8Array<ArrayBuffer> }[];
  readonly news: readonly ExchangeNews[];
}

export type ExchangeNews =
  | { readonly type: "config" | "grant" }
  /** A neighbour sent what must not be taken. */
  | { readonly type: "refused"; readonly peer: NodeId; readonly error: NetConfigError };

interface Neighbour {
  readonly id: NodeId;
  announced: Announcement | undefined;
  /** What was said last, and when. */
  said: string;
  saidAt: number;
  failures: number;
  notBefore: number;
  readonly served: TokenBucket;
  readonly verified: TokenBucket;
}

/**
 * Spreads grants and configs: sans I/O. Each neighbour is told what is in force when its link comes up, when that changes and once a minute;
 * whoever lacks it asks one of those that have it. Nothing is sent unasked but announcements, and a neighbour that has the same is
 * not told of it.
 */
export class ConfigExchange {
  readonly #store: ConfigStore;
  readonly #neighbours = new Map<NodeId, Neighbour>();
  /** By hash: one source at a time. */
  readonly #transfers = new Map<string, Transfer>();
  /** Hashes that were fetched and cannot come into force. */
  readonly #useless = new Set<string>();
  #messages: { peer: NodeId; bytes: Uint8Array<ArrayBuffer> }[] = [];
  #news: ExchangeNews[] = [];
  /** Of the last call. */
  #now = -Infinity;

  constructor(store: ConfigStore) {
    this.#store = store;
  }

  linkUp(peer: NodeId, now: number): ExchangeEffects {
    this.#cancelFrom(peer);
    const neighbour: Neighbour = {
      id: peer,
      announced: undefined,
      said: "",
      saidAt: -Infinity,
      failures: 0,
      notBefore: now,
      served: new TokenBucket(serveBytes.burst, serveBytes.perSecond, now),
      verified: new TokenBucket(verifyGrants.burst, verifyGrants.perSecond, now),
    };
    this.#neighbours.set(peer, neighbour);
    this.#say(neighbour, now);
    return this.#effects(now);
  }

  linkDown(peer: NodeId, now: number): ExchangeEffects {
    this.#neighbours.delete(peer);
    this.#cancelFrom(peer);
    return this.#effects(now);
  }

  /** The store, or whom it trusts, has changed otherwise than through here. */
  changed(now: number): ExchangeEffects {
    this.#useless.clear();
    this.#spread(now);
    return this.#effects(now);
  }

  /** A message from a linked peer; whatever is wrong with it costs nobody but that peer. */
  receive(peer: NodeId, bytes: Uint8Array, now: number): ExchangeEffects {
    const neighbour = this.#neighbours.get(peer);
    if (neighbour !== undefined) {
      try {
        const message = decodeExchange(bytes);
        if (message?.type === "announce") this.#heard(neighbour, message, now);
        else if (message?.type === "ask") this.#serve(neighbour, message, now);
        else if (message?.type === "chunk") this.#took(neighbour, message, now);
      } catch (error) {
        if (!(error instanceof NetConfigError)) throw error;
        this.#distrust(neighbour, error, now);
      }
    }
    return this.#effects(now);
  }

  /** Does whatever is due. Harmless when called early or late. */
  tick(now: number): ExchangeEffects {
    for (const neighbour of this.#neighbours.values()) {
      if (neighbour.saidAt + repeatMs <= now) this.#say(neighbour, now);
    }
    for (const transfer of this.#transfers.values()) {
      if (transfer.deadline > now) continue;
      const asks = transfer.retry(now);
      if (asks !== undefined) {
        this.#send(transfer.peer, ...asks);
        continue;
      }
      this.#transfers.delete(transfer.hash);
      const neighbour = this.#neighbours.get(transfer.peer);
      // Silence is no forgery: it costs the neighbour its turn, and nobody is told.
      if (neighbour !== undefined) this.#backOff(neighbour, now);
    }
    return this.#effects(now);
  }

  /** When `tick()` is next needed, in the caller's monotonic milliseconds. */
  nextWake(): number {
    let at = Infinity;
    for (const neighbour of this.#neighbours.values()) {
      at = Math.min(at, neighbour.saidAt + repeatMs);
      // One that may be asked already waits for a transfer to end, which wakes us anyway.
      if (neighbour.notBefore > this.#now && this.#wants(neighbour)) {
        at = Math.min(at, neighbour.notBefore);
      }
    }
    for (const { deadline } of this.#transfers.values()) at = Math.min(at, deadline);
    return at;
  }

  #heard(neighbour: Neighbour, announced: Announcement, now: number): void {
    const grant = announced.grant.slice();
    const before = neighbour.announced;
    // What a node has only rises: less than before is a message that was overtaken.
    if (before === undefined || comparePositions(announced.position, before.position) >= 0) {
      // It has moved on: what it was asked for before it does not have any more.
      if (announced.hash !== before?.hash) this.#cancelFrom(neighbour.id);
      neighbour.announced = { ...announced, grant };
    }
    if (
      grant.length > 0 && !sameBytes(grant, this.#grantBytes) && neighbour.verified.take(1, now)
    ) {
      const offered = this.#store.offerGrant(grant);
      this.#tell(offered, neighbour, now);
      if (offered.grant) {
        // The CA may now vouch for what was of no use before.
        this.#useless.clear();
        this.#spread(now);
      }
    }
    const behind = comparePositions(announced.position, this.#store.position) < 0 ||
      !sameBytes(grant, this.#grantBytes);
    if (!behind) return;
    if (neighbour.said !== this.#key || now - neighbour.saidAt >= tellAgainMs) {
      this.#say(neighbour, now);
    }
  }

  #serve(neighbour: Neighbour, { hash, offset }: Ask, now: number): void {
    const { config } = this.#store.state;
    if (config?.hash !== hash || offset >= config.bytes.length) return;
    const bytes = config.bytes.subarray(offset, offset + chunkBytes);
    if (!neighbour.served.take(bytes.length, now)) return;
    this.#send(neighbour.id, { type: "chunk", hash, offset, bytes });
  }

  #took(neighbour: Neighbour, chunk: Chunk, now: number): void {
    const transfer = this.#transfers.get(chunk.hash);
    if (transfer?.peer !== neighbour.id) return;
    if (!transfer.take(chunk, now)) {
      this.#transfers.delete(chunk.hash);
      throw new NetConfigError(
        "NETCONFIG_MALFORMED",
        "a piece of a network config does not fit what was announced",
      );
    }
    const whole = transfer.whole();
    if (whole === undefined) return this.#send(neighbour.id, ...transfer.asks());
    this.#transfers.delete(chunk.hash);
    const offered = this.#store.offer(whole);
    this.#tell(offered, neighbour, now);
    if (offered.config || offered.grant) this.#spread(now);
    if (offered.config) neighbour.failures = 0;
    else if (offered.hash === chunk.hash) this.#remember(chunk.hash);
    // Promised one thing and sent another: the next one may promise the same and keep its word.
    else if (offered.error !== undefined && /_(?:OLD|RETIRED)$/.test(offered.error.code)) {
      this.#backOff(neighbour, now);
    }
  }

  /** Hands over what came of an offer. A fork and old news are no lie of the neighbour that passed them on. */
  #tell(offered: Offered, neighbour: Neighbour, now: number): void {
    if (offered.grant) this.#news.push({ type: "grant" });
    if (offered.config) this.#news.push({ type: "config" });
    const { error } = offered;
    if (error === undefined || error.code === "NETCONFIG_OLD") return;
    if (noLie.has(error.code)) {
      this.#news.push({ type: "refused", peer: neighbour.id, error });
    } else this.#distrust(neighbour, error, now);
  }

  #distrust(neighbour: Neighbour, error: NetConfigError, now: number): void {
    this.#backOff(neighbour, now);
    this.#news.push({ type: "refused", peer: neighbour.id, error });
  }

  #backOff(neighbour: Neighbour, now: number): void {
    const wait = Math.min(distrustMs.first * 2 ** neighbour.failures, distrustMs.last);
    neighbour.failures = Math.min(neighbour.failures + 1, 16);
    neighbour.notBefore = now + wait;
  }

  #spread(now: number): void {
    for (const neighbour of this.#neighbours.values()) {
      const { announced } = neighbour;
      const { config } = this.#store.state;
      const same = announced !== undefined && announced.hash === (config?.hash ?? "") &&
        sameBytes(announced.grant, this.#grantBytes);
      if (!same) this.#say(neighbour, now);
    }
    for (const { hash, peer, announced } of this.#transfers.values()) {
      if (!this.#useful(announced)) this.#transfers.delete(hash);
      else if (!this.#neighbours.has(peer)) this.#transfers.delete(hash);
    }
  }

  #say(neighbour: Neighbour, now: number): void {
    const { config } = this.#store.state;
    neighbour.said = this.#key;
    neighbour.saidAt = now;
    this.#send(neighbour.id, {
      type: "announce",
      grant: this.#grantBytes,
      position: this.#store.position,
      hash: config?.hash ?? "",
      length: config?.bytes.length ?? 0,
    });
  }

  /** Whether what was announced could come into force here, or would show a fork. */
  #useful({ position, hash }: Announcement): boolean {
    const { config, grant } = this.#store.state;
    if (hash === "" || hash === config?.hash || this.#useless.has(hash)) return false;
    if (grant === null || position.epoch > grant.grant.epoch) return false;
    // Of no use but to show that there are two.
    if (this.#store.contradicts(position, hash)) return true;
    // Between two with one number, and below what this node once had, the CA's word counts.
    if (hash === grant.grant.base?.hash) {
      return comparePositions(position, this.#store.position) >= 0;
    }
    return position.epoch === grant.grant.epoch &&
      comparePositions(position, this.#store.floor) >= 0;
  }

  #wants(neighbour: Neighbour): boolean {
    const { announced } = neighbour;
    return announced !== undefined && this.#useful(announced) &&
      !this.#transfers.has(announced.hash);
  }

  /** Asks those that have more, the most promising first. */
  #askForMore(now: number): void {
    if (this.#transfers.size >= maxTransfers) return;
    const sources = [...this.#neighbours.values()]
      .filter((neighbour) => neighbour.notBefore <= now && this.#wants(neighbour))
      .sort((a, b) =>
        a.failures - b.failures || comparePositions(b.announced!.position, a.announced!.position)
      );
    for (const { id, announced } of sources) {
      if (this.#transfers.size >= maxTransfers) return;
      if (this.#transfers.has(announced!.hash)) continue;
      // One at a time from each: a neighbour that promises much holds up nobody but itself.
      if (this.#transfers.values().some(({ peer }) => peer === id)) continue;
      const transfer = new Transfer(id, announced!, now);
      this.#transfers.set(transfer.hash, transfer);
      this.#send(id, ...transfer.asks());
    }
  }

  #cancelFrom(peer: NodeId): void {
    for (const transfer of this.#transfers.values()) {
      if (transfer.peer === peer) this.#transfers.delete(transfer.hash);
    }
  }

  #remember(hash: string): void {
    if (this.#useless.size >= maxRemembered) {
      for (const oldest of this.#useless) {
        this.#useless.delete(oldest);
        break;
      }
    }
    this.#useless.add(hash);
  }

  get #grantBytes(): Uint8Array {
    return this.#store.state.grant?.bytes ?? none;
  }

  get #key(): string {
    const { config, grant } = this.#store.state;
    return `${grant?.hash} ${config?.hash}`;
  }

  #send(peer: NodeId, ...messages: readonly ExchangeMessage[]): void {
    for (const message of messages) this.#messages.push({ peer, bytes: encodeExchange(message) });
  }

  #effects(now: number): ExchangeEffects {
    this.#now = now;
    this.#askForMore(now);
    const effects = { messages: this.#messages, news: this.#news };
    this.#messages = [];
    this.#news = [];
    return effects;
  }
}

const none = new Uint8Array(0);

/** Why a neighbour that is honest may have passed on what is not taken. */
const noLie: ReadonlySet<string> = new Set([
  "NETCONFIG_FORKED",
  "NETCONFIG_SUPERSEDED",
  "NETCONFIG_RETIRED",
]);

function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}

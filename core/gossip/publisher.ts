import type { NodeCertificate, NodeId } from "../identity/types.ts";
import type { Content } from "./content.ts";
import { encodeContent } from "./content.ts";
import { GossipError } from "./errors.ts";
import { type GossipLimits, maxSequence } from "./limits.ts";
import { Detail } from "./message.ts";
import { sequenceExhausted, signHead, signingPrefix } from "./record.ts";
import { RecordEntry } from "./record_table.ts";
import { TokenBucket } from "./token_bucket.ts";
import type { SelfReport } from "./types.ts";

/** What this node says with. The private key stays with whoever made the function. */
export interface GossipIdentity {
  readonly certificate: NodeCertificate;
  sign(message: Uint8Array): Uint8Array;
}

const overtakenMemoryMs = 600_000;
const freeAnswers = 3;
const maxPatienceMs = 60_000;

/** This node's own record: what it says, under which sequence, and when it is due again. */
export class Publisher {
  readonly #limits: GossipLimits;
  readonly #random: () => number;
  readonly #prefix: Uint8Array;
  readonly #allowance: TokenBucket;
  #identity: GossipIdentity;
  #report: SelfReport;
  #content: Content;
  #published: RecordEntry | null = null;
  /** The highest sequence used, or heard under this node's own signature. */
  #sequence: number;
  #publishAt: number;
  #publishedAt = -Infinity;
  #overtakenAt = -Infinity;
  #overtakenCount = 0;
  /** Others hold something else under our name: what is published next is news to them. */
  #contested = false;

  /** @throws {GossipError} GOSSIP_REPORT_INVALID, GOSSIP_SEQUENCE_EXHAUSTED */
  constructor(
    options: {
      readonly self: GossipIdentity;
      readonly network: string;
      readonly report: SelfReport;
      readonly initialSequence: number;
      readonly limits: GossipLimits;
      readonly random: () => number;
      readonly now: number;
    },
  ) {
    this.#limits = options.limits;
    this.#random = options.random;
    this.#prefix = signingPrefix(options.network);
    this.#identity = options.self;
    this.#report = options.report;
    this.#content = this.#encode();
    this.#sequence = Math.max(1, Math.floor(options.initialSequence)) - 1;
    if (this.exhausted) throw sequenceExhausted(this.id);
    this.#allowance = new TokenBucket(
      this.#limits.publishBurst,
      this.#limits.publishPerSecond,
      options.now,
    );
    this.#publishAt = options.now;
  }

  get id(): NodeId {
    return this.#identity.certificate.id;
  }

  get certificate(): NodeCertificate {
    return this.#identity.certificate;
  }

  get sequence(): number {
    return this.#sequence;
  }

  /** When `publish()` has something to do. */
  get nextAt(): number {
    return this.#publishAt;
  }

  /** @throws {GossipError} GOSSIP_REPORT_INVALID; what was said before stands */
  say(report: SelfReport, now: number): void {
    const before = this.#report;
    this.#report = report;
    try {
      this.#content = this.#encode();
    } catch (error) {
      this.#report = before;
      throw error;
    }
    this.#schedule(now);
  }

  /** @throws {GossipError} GOSSIP_CERTIFICATE_MISMATCH a certificate of another key */
  identify(identity: GossipIdentity, now: number): void {
    if (identity.certificate.id !== this.id) {
      throw new GossipError(
        "GOSSIP_CERTIFICATE_MISMATCH",
        `the new certificate is of node ${identity.certificate.id}, this is node ${this.id}`,
        { id: identity.certificate.id },
      );
    }
    this.#identity = identity;
    this.#content = this.#encode();
    this.#schedule(now);
  }

  /** The sequences are used up: only a new key can speak again. */
  get exhausted(): boolean {
    return this.#sequence >= maxSequence;
  }

  /**
   * Somebody holds a validly signed record of ours that is not our current one: from a former life, or of a second process with
   * the same key. The first case is over after one answer; in the second both would answer each other for ever, so they slow down.
   * @returns false when this was known already
   */
  overtaken(sequence: number, now: number): boolean {
    const answered = this.#contested && sequence <= this.#sequence;
    this.#sequence = Math.max(this.#sequence, sequence);
    if (this.#contested) return !answered;
    if (now - this.#overtakenAt > overtakenMemoryMs) this.#overtakenCount = 0;
    this.#overtakenAt = now;
    this.#overtakenCount++;
    this.#contested = true;
    const patience = this.#overtakenCount <= freeAnswers
      ? 0
      : Math.min(maxPatienceMs, 1_000 * 2 ** (this.#overtakenCount - freeAnswers));
    this.#publishBy(Math.max(now + patience, this.#soonest(now)));
    return true;
  }

  /**
   * The next record, if one is due: news as soon as the own rate allows, otherwise a refresh in time. Never again once the
   * sequences are exhausted.
   */
  publish(now: number): { readonly entry: RecordEntry; readonly news: Detail } | null {
    if (this.#publishAt > now) return null;
    if (this.exhausted) {
      this.#publishAt = Infinity;
      return null;
    }
    const [low, high] = this.#limits.refreshMs;
    this.#publishAt = now + low + this.#random() * (high - low);
    this.#allowance.take(1, now);
    const { certificate } = this.#identity;
    const content = this.#content;
    const head = signHead(
      { id: this.id, sequence: this.#sequence + 1, contentHash: content.hash },
      this.#prefix,
      (message) => this.#identity.sign(message),
    );
    this.#sequence++;
    this.#publishedAt = now;
    const before = this.#published;
    const news = before === null || before.certificate.fingerprint !== certificate.fingerprint
      ? Detail.certificate
      : before.content === content && !this.#contested
      ? Detail.head
      : Detail.content;
    this.#contested = false;
    this.#published = new RecordEntry({ head, content, certificate, hops: 0, now, allowanceAt: 0 });
    return { entry: this.#published, news };
  }

  /** Encodes the report; the same object again when nothing changed, so that `===` tells. */
  #encode(): Content {
    const content = encodeContent(this.#report, this.#identity.certificate.fingerprint, this.id);
    const published = this.#published?.content;
    return published !== undefined && published.hash.toHex() === content.hash.toHex()
      ? published
      : content;
  }

  #schedule(now: number): void {
    if (this.#published?.content === this.#content) return;
    this.#publishBy(this.#soonest(now));
  }

  /** At once when it has been quiet; changes that follow wait for each other, and for the own rate. */
  #soonest(now: number): number {
    const rested = this.#publishedAt + this.#limits.debounceMs;
    return Math.max(rested, now + this.#allowance.waitFor(1, now));
  }

  #publishBy(at: number): void {
    this.#publishAt = Math.min(this.#publishAt, at);
  }
}

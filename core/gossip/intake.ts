import { hash } from "node:crypto";
import { PulseError } from "../errors/mod.ts";
import type { NodeCertificate } from "../identity/types.ts";
import type { Content } from "./content.ts";
import type { GossipCounter } from "./counters.ts";
import { type GossipLimits, maxHops, maxSequenceStep } from "./limits.ts";
import { Detail, Need, type RecordItem } from "./message.ts";
import {
  headBytes,
  headContentHash,
  headSignature,
  sameContent,
  sameHead,
  signedFields,
  type SignedHead,
  signedMessage,
  signingPrefix,
} from "./record.ts";
import type { RecordEntry, RecordTable } from "./record_table.ts";
import type { TokenBucket } from "./token_bucket.ts";

/** What judging a record needs from outside. All are pure, so they may be memoised. */
export interface IntakeServices {
  /**
   * The certificate when it is of this network's CA and for this network.
   * @throws {PulseError} when it must not be believed
   */
  verifyCertificate(der: Uint8Array): NodeCertificate;
  /** Strict Ed25519. The arguments are valid during the call only. */
  verifySignature(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean;
  /** Whether a certificate verified earlier is still within its dates. */
  isCurrent(certificate: NodeCertificate): boolean;
  /** `decodeContent` */
  readContent(bytes: Uint8Array, author: string): Content;
}

export type Verdict =
  | {
    readonly kind: "accepted";
    readonly content: Content;
    readonly certificate: NodeCertificate;
    /** What of it is news to whoever has held our last record of this author. */
    readonly news: Detail;
  }
  /** Cannot be judged yet; the neighbour is told what is missing. */
  | { readonly kind: "needs"; readonly need: Need }
  /** Exactly what is held. */
  | { readonly kind: "held" }
  /** The neighbour lacks what is held here (or was pruned here). */
  | { readonly kind: "older"; readonly newer: RecordEntry; readonly counter: GossipCounter }
  | { readonly kind: "equivocation"; readonly held: RecordEntry }
  | { readonly kind: "dropped"; readonly counter: GossipCounter };

/** Tokens a certificate costs besides the record's own one: its signature, and parsing it. */
const certificateCost = 2;

/** Decides about records from others. Holds nothing but a few spare certificates. */
export class Intake {
  readonly #services: IntakeServices;
  readonly #table: RecordTable;
  readonly #limits: GossipLimits;
  readonly #network: string;
  /** What was signed, assembled here for each check. */
  readonly #message: Uint8Array;
  readonly #prefixLength: number;
  readonly #spare = new Map<string, NodeCertificate>();

  constructor(
    options: {
      readonly services: IntakeServices;
      readonly table: RecordTable;
      readonly limits: GossipLimits;
      readonly network: string;
    },
  ) {
    this.#services = options.services;
    this.#table = options.table;
    this.#limits = options.limits;
    this.#network = options.network;
    const prefix = signingPrefix(options.network);
    this.#prefixLength = prefix.length;
    this.#message = signedMessage(prefix, new Uint8Array(headBytes));
  }

  /**
   * @param budget signature verifications the link has left
   * @param linked whether the author is a neighbour itself
   */
  judge(item: RecordItem, budget: TokenBucket, linked: boolean, now: number): Verdict {
    const { head } = item;
    if (head.sequence === 0 || item.hops >= maxHops) return drop("malformedRecords");
    if (this.#table.isRevoked(head.id)) return drop("revoked");
    const held = this.#table.get(head.id);
    const past = held ?? this.#table.tombstone(head.id);
    if (past !== undefined && head.sequence <= past.sequence) {
      return this.#judgeOld(head, past, held !== undefined, budget, now);
    }
    if (held === undefined && !linked && this.#table.size >= this.#limits.maxRecords) {
      return drop("tableFull");
    }
    if (held !== undefined && head.sequence - held.sequence > maxSequenceStep) {
      return drop("sequenceJumps");
    }
    if (held !== undefined && held.allowanceAt - now > this.#authorSlack) return later;
    const known = past !== undefined && sameContent(past.head, head) ? past.content : null;
    if (known === null && item.content === null) return { kind: "needs", need: Need.content };
    if (!budget.take(1, now)) return later;
    return this.#judgeNew(item, past, known, budget, now);
  }

  /** Whether the author signed this head, as far as a record held already tells. Costs one token. */
  signedBy(publicKey: Uint8Array, head: SignedHead): boolean {
    this.#message.set(signedFields(head), this.#prefixLength);
    return this.#services.verifySignature(publicKey, this.#message, headSignature(head));
  }

  /** The allowance of an author after one more sequence was taken. */
  nextAllowance(allowanceAt: number, now: number): number {
    return Math.max(allowanceAt, now) + 1000 / this.#limits.authorPerSecond;
  }

  get #authorSlack(): number {
    return (this.#limits.authorBurst - 1) * 1000 / this.#limits.authorPerSecond;
  }

  #judgeOld(
    head: SignedHead,
    past: RecordEntry,
    held: boolean,
    budget: TokenBucket,
    now: number,
  ): Verdict {
    const counter = held ? "older" : "replayed";
    if (head.sequence < past.sequence) return { kind: "older", newer: past, counter };
    if (sameHead(head, past.head)) return held ? { kind: "held" } : drop("replayed");
    // Same content under another signature says nothing new, whoever made it.
    if (sameContent(head, past.head)) return drop("duplicates");
    if (held && past.disputed === past.sequence) return drop("equivocations");
    if (!budget.take(1, now)) return drop("deferred");
    if (!this.signedBy(past.certificate.publicKey, head)) return drop("badSignatures");
    return held ? { kind: "equivocation", held: past } : { kind: "older", newer: past, counter };
  }

  #judgeNew(
    item: RecordItem,
    past: RecordEntry | undefined,
    known: Content | null,
    budget: TokenBucket,
    now: number,
  ): Verdict {
    const { head } = item;
    const content = known ?? this.#readContent(item);
    if (content === null) return drop("malformedRecords");
    const certificate = past?.certificate.fingerprint === content.fingerprint
      ? past.certificate
      : this.#certificate(content.fingerprint, item.certificate, budget, now);
    if ("kind" in certificate) return certificate;
    if (
      certificate.id !== head.id || certificate.network !== this.#network ||
      !this.#services.isCurrent(certificate)
    ) {
      return drop("badCertificates");
    }
    if (!this.signedBy(certificate.publicKey, head)) return drop("badSignatures");
    const news = past === undefined || past.certificate.fingerprint !== content.fingerprint
      ? Detail.certificate
      : known === null
      ? Detail.content
      : Detail.head;
    return { kind: "accepted", content, certificate, news };
  }

  #readContent({ head, content }: RecordItem): Content | null {
    if (content === null) return null;
    try {
      const read = this.#services.readContent(content, head.id);
      return equalBytes(read.hash, headContentHash(head)) ? read : null;
    } catch (error) {
      if (error instanceof PulseError) return null;
      throw error;
    }
  }

  #certificate(
    fingerprint: string,
    der: Uint8Array | null,
    budget: TokenBucket,
    now: number,
  ): NodeCertificate | Verdict {
    const spare = this.#spare.get(fingerprint);
    if (spare !== undefined) return spare;
    if (der === null) return { kind: "needs", need: Need.certificate };
    if (hash("sha256", der, "hex") !== fingerprint) return drop("malformedRecords");
    if (!budget.take(certificateCost, now)) return later;
    try {
      const certificate = this.#services.verifyCertificate(der);
      this.#spare.set(fingerprint, certificate);
      if (this.#spare.size > this.#limits.maxSpareCertificates) {
        for (const oldest of this.#spare.keys()) {
          this.#spare.delete(oldest);
          break;
        }
      }
      return certificate;
    } catch (error) {
      if (error instanceof PulseError) return drop("badCertificates");
      throw error;
    }
  }
}

const later: Verdict = { kind: "needs", need: Need.later };

function drop(counter: GossipCounter): Verdict {
  return { kind: "dropped", counter };
}

function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

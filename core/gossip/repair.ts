import type { NodeId } from "../identity/types.ts";
import { bucketMarked, bucketOf, computeDigest, differingBuckets, digestBits } from "./digest.ts";
import type { GossipLimits } from "./limits.ts";
import { Detail, type Digest, type Offer, type Summary, type Want } from "./message.ts";
import { maxListed, type Neighbour } from "./neighbour.ts";
import { headMark } from "./record.ts";
import type { RecordEntry, RecordTable } from "./record_table.ts";

/** Up to this many missing records are sent unasked; more are offered, so that not every neighbour of a new node sends all. */
const maxUnasked = 32;
/** The side that does not start repairs on a new link waits this long before it does so after all. */
const secondStarterMs = 3_000;
/** Between two digests to the same neighbour, whatever happens. */
const minDigestMs = 2_000;

/**
 * Finds and repairs differences between two tables: digest -> summary of the buckets that differ -> records and wants.
 * Runs once when a link comes up, then every minute, and repeats what is not answered.
 */
export class Repair {
  readonly #self: NodeId;
  readonly #table: RecordTable;
  readonly #limits: GossipLimits;
  readonly #random: () => number;
  /** Insertion order is order of expiry. */
  readonly #wanted = new Map<NodeId, { peer: NodeId; sequence: number; until: number }>();

  constructor(
    options: {
      readonly self: NodeId;
      readonly table: RecordTable;
      readonly limits: GossipLimits;
      readonly random: () => number;
    },
  ) {
    this.#self = options.self;
    this.#table = options.table;
    this.#limits = options.limits;
    this.#random = options.random;
  }

  /** One end of a new link starts, so that the work is not done twice. */
  linkUp(neighbour: Neighbour, now: number): void {
    neighbour.digestAt = this.#self < neighbour.id ? now : now + secondStarterMs;
  }

  /** What was wanted from a lost neighbour, others may have. */
  linkDown(neighbour: Neighbour, others: Iterable<Neighbour>, now: number): void {
    let lost = false;
    for (const [id, wanted] of this.#wanted) {
      if (wanted.peer !== neighbour.id) continue;
      this.#wanted.delete(id);
      lost = true;
    }
    if (lost) { for (const other of others) this.#soon(other, now); }
  }

  /** Sends a digest when one is due. */
  tickLink(neighbour: Neighbour, now: number): void {
    if (neighbour.digestAt > now) return;
    const salt = Math.floor(this.#random() * 2 ** 32);
    const bits = digestBits(this.#table.size);
    const hashes = computeDigest(this.#table.entries(), bits, salt);
    // Unanswered, it is repeated: sooner than the next regular one, later than a slow link's answer.
    const unanswered = neighbour.awaited !== null;
    neighbour.digestAt = now + (unanswered ? this.#limits.roundMs : minDigestMs);
    neighbour.sendDigest({ salt, bits, hashes }, now);
  }

  /** Finds those who did not send what they had offered. */
  tick(neighbours: ReadonlyMap<NodeId, Neighbour>, now: number): void {
    for (const [id, { peer, sequence, until }] of this.#wanted) {
      if (until > now) return;
      this.#wanted.delete(id);
      if ((this.#table.get(id)?.sequence ?? 0) >= sequence) continue;
      const failed = neighbours.get(peer);
      if (failed !== undefined) failed.unreliable = true;
      for (const other of neighbours.values()) this.#soon(other, now);
    }
  }

  /** When `tick()` has something to do. */
  get nextAt(): number {
    for (const { until } of this.#wanted.values()) return until;
    return Infinity;
  }

  /** A record arrived; nobody needs to be asked for it any more. */
  arrived(id: NodeId, sequence: number): void {
    const wanted = this.#wanted.get(id);
    if (wanted !== undefined && wanted.sequence <= sequence) this.#wanted.delete(id);
  }

  /** @returns false when the neighbour asks too often */
  onDigest(neighbour: Neighbour, digest: Digest, now: number): boolean {
    if (!neighbour.digestAnswers.take(1, now)) return false;
    const { salt, bits } = digest;
    const own = computeDigest(this.#table.entries(), bits, salt);
    const buckets = differingBuckets(own, digest.hashes, bits);
    const offers: Offer[] = [];
    for (const { head } of this.#table.entries()) {
      if (!bucketMarked(buckets, bucketOf(head, bits))) continue;
      if (offers.length === maxListed) break;
      offers.push({ id: head.id, sequence: head.sequence, mark: headMark(head) });
    }
    neighbour.summarise({ salt, bits, buckets, offers }, now);
    // One digest a period is enough for both directions.
    this.#next(neighbour, now);
    return true;
  }

  /** @returns false for a summary nobody asked for */
  onSummary(neighbour: Neighbour, summary: Summary, now: number): boolean {
    const { awaited } = neighbour;
    if (awaited?.salt !== summary.salt || awaited.bits !== summary.bits) return false;
    neighbour.awaited = null;
    this.#next(neighbour, now);
    const theirs = new Map<NodeId, Offer>();
    for (const offer of summary.offers) {
      theirs.set(offer.id, offer);
      this.#consider(neighbour, offer, now);
    }
    const missing: RecordEntry[] = [];
    for (const entry of this.#table.entries()) {
      if (theirs.has(entry.id) || neighbour.isFlying(entry.id)) continue;
      if (bucketMarked(summary.buckets, bucketOf(entry.head, summary.bits))) missing.push(entry);
    }
    if (missing.length <= maxUnasked) {
      for (const { id } of missing) neighbour.mark(id, Detail.certificate, "now", now);
    } else {
      neighbour.offer(
        missing.map(({ head }) => ({
          id: head.id,
          sequence: head.sequence,
          mark: headMark(head),
        })),
        now,
      );
    }
    return true;
  }

  onOffers(neighbour: Neighbour, offers: readonly Offer[], now: number): void {
    for (const offer of offers) this.#consider(neighbour, offer, now);
  }

  /** @returns how many wants were over the rate */
  onWants(neighbour: Neighbour, wants: readonly Want[], now: number): number {
    for (const [i, { id, detail }] of wants.entries()) {
      if (!neighbour.wantAnswers.take(1, now)) return wants.length - i;
      if (this.#table.get(id) !== undefined) neighbour.mark(id, detail, "now", now);
    }
    return 0;
  }

  #consider(neighbour: Neighbour, offer: Offer, now: number): void {
    const { id, sequence, mark } = offer;
    const held = this.#table.get(id);
    const sameContent = held !== undefined && headMark(held.head) === mark;
    if (held !== undefined && held.sequence > sequence) {
      // An offer is 26 bytes and never verified, what it is answered with may be 16 KiB: rationed like a want.
      if (neighbour.isFlying(id) || !neighbour.wantAnswers.take(1, now)) return;
      neighbour.mark(id, sameContent ? Detail.head : Detail.content, "now", now);
    } else if (held?.sequence === sequence) {
      if (sameContent) neighbour.knows(id);
      // Somebody holds another record of this node's own under its current sequence: it has to see it to rise above it.
      else if (id === this.#self) neighbour.want(id, Detail.head, now);
    } else {
      const detail = held === undefined
        ? Detail.certificate
        : sameContent
        ? Detail.head
        : Detail.content;
      this.#want(neighbour, offer, detail, now);
    }
  }

  #want(neighbour: Neighbour, { id, sequence }: Offer, detail: Detail, now: number): void {
    if (this.#table.isRevoked(id)) return;
    if ((this.#table.tombstone(id)?.sequence ?? 0) >= sequence) return;
    const { size } = this.#table;
    const { maxRecords } = this.#limits;
    if (size >= maxRecords && this.#table.get(id) === undefined && id !== neighbour.id) return;
    const wanted = this.#wanted.get(id);
    if (wanted !== undefined && wanted.until > now && wanted.sequence >= sequence) return;
    // One that does not keep its offers may still be asked, but nobody waits for it.
    if (!neighbour.unreliable && this.#wanted.size < maxRecords) {
      this.#wanted.delete(id);
      this.#wanted.set(id, { peer: neighbour.id, sequence, until: now + this.#limits.wantMs });
    }
    neighbour.want(id, detail, now);
  }

  #next(neighbour: Neighbour, now: number): void {
    neighbour.digestAt = now + this.#limits.digestMs * (0.9 + 0.2 * this.#random());
  }

  #soon(neighbour: Neighbour, now: number): void {
    neighbour.digestAt = Math.min(neighbour.digestAt, now + minDigestMs);
  }
}

import type { NodeCertificate, NodeId } from "../identity/types.ts";
import type { Content } from "./content.ts";
import type { GossipLimits } from "./limits.ts";
import { sameContent, type SignedHead } from "./record.ts";
import type { GossipRecord, SelfReport } from "./types.ts";

/**
 * A held record: a live view. `sequence`, `hops` and `refreshedAt` move on with each refresh; `report` and `certificate` never
 * change within one object, an update makes a new one.
 */
export class RecordEntry implements GossipRecord {
  readonly id: NodeId;
  readonly content: Content;
  readonly certificate: NodeCertificate;
  head: SignedHead;
  hops: number;
  refreshedAt: number;
  /** When the author's rate allowance is whole again (GCRA: one number instead of a bucket per record). */
  allowanceAt: number;
  /** The last sequence under which the author was caught saying two things. */
  disputed = 0;

  constructor(parts: {
    readonly head: SignedHead;
    readonly content: Content;
    readonly certificate: NodeCertificate;
    readonly hops: number;
    readonly now: number;
    readonly allowanceAt: number;
  }) {
    this.id = parts.head.id;
    this.head = parts.head;
    this.content = parts.content;
    this.certificate = parts.certificate;
    this.hops = parts.hops;
    this.refreshedAt = parts.now;
    this.allowanceAt = parts.allowanceAt;
  }

  get sequence(): number {
    return this.head.sequence;
  }

  get report(): SelfReport {
    return this.content.report;
  }
}

interface Tombstone {
  readonly entry: RecordEntry;
  readonly at: number;
}

/** Every record held, those pruned not long ago, and who is revoked. */
export class RecordTable {
  readonly #limits: GossipLimits;
  readonly #entries = new Map<NodeId, RecordEntry>();
  readonly #tombstones = new Map<NodeId, Tombstone>();
  readonly #revoked = new Set<NodeId>();
  #version = 0;
  #graphVersion = 0;

  constructor(limits: GossipLimits) {
    this.#limits = limits;
  }

  get size(): number {
    return this.#entries.size;
  }

  /** Moves when a record came, went or said something new; refreshes leave it alone. */
  get version(): number {
    return this.#version;
  }

  /** Moves when the set of nodes or any reported link changed. */
  get graphVersion(): number {
    return this.#graphVersion;
  }

  get(id: NodeId): RecordEntry | undefined {
    return this.#entries.get(id);
  }

  entries(): IterableIterator<RecordEntry> {
    return this.#entries.values();
  }

  /** Takes a new or changed record; says which record it replaced. */
  put(entry: RecordEntry): RecordEntry | undefined {
    const previous = this.#entries.get(entry.id);
    this.#entries.set(entry.id, entry);
    this.#tombstones.delete(entry.id);
    this.#version++;
    if (previous === undefined || !sameLinks(previous.report, entry.report)) this.#graphVersion++;
    return previous;
  }

  /** Takes a new head over the same content. */
  refresh(entry: RecordEntry, head: SignedHead, hops: number, now: number): void {
    if (!sameContent(entry.head, head)) throw new RangeError("a refresh has the same content");
    entry.head = head;
    entry.hops = hops;
    entry.refreshedAt = now;
  }

  /** Removes what was not refreshed for `pruneMs`, except where `keep` says so. */
  prune(keep: (id: NodeId) => boolean, now: number): RecordEntry[] {
    const pruned: RecordEntry[] = [];
    for (const entry of this.#entries.values()) {
      if (now - entry.refreshedAt <= this.#limits.pruneMs || keep(entry.id)) continue;
      this.#remove(entry);
      this.#bury(entry, now);
      pruned.push(entry);
    }
    for (const [id, { at }] of this.#tombstones) {
      if (now - at <= this.#limits.tombstoneMs) break;
      this.#tombstones.delete(id);
    }
    return pruned;
  }

  /** Removes records without burying them: their authors may come back with any sequence. */
  removeWhere(unwanted: (entry: RecordEntry) => boolean): RecordEntry[] {
    const removed = [...this.#entries.values()].filter(unwanted);
    for (const entry of removed) this.#remove(entry);
    return removed;
  }

  /** The record last pruned under this id, for as long as it is remembered. */
  tombstone(id: NodeId): RecordEntry | undefined {
    return this.#tombstones.get(id)?.entry;
  }

  /** @returns the record that was dropped, if there was one */
  revoke(id: NodeId): RecordEntry | undefined {
    this.#revoked.add(id);
    this.#tombstones.delete(id);
    const entry = this.#entries.get(id);
    if (entry !== undefined) this.#remove(entry);
    return entry;
  }

  /** What was held of it is gone; it may speak again. */
  reinstate(id: NodeId): void {
    this.#revoked.delete(id);
  }

  revoked(): ReadonlySet<NodeId> {
    return this.#revoked;
  }

  isRevoked(id: NodeId): boolean {
    return this.#revoked.has(id);
  }

  #remove(entry: RecordEntry): void {
    this.#entries.delete(entry.id);
    this.#version++;
    this.#graphVersion++;
  }

  #bury(entry: RecordEntry, now: number): void {
    this.#tombstones.delete(entry.id);
    this.#tombstones.set(entry.id, { entry, at: now });
    if (this.#tombstones.size > this.#limits.maxTombstones) {
      for (const oldest of this.#tombstones.keys()) {
        this.#tombstones.delete(oldest);
        break;
      }
    }
  }
}

function sameLinks(a: SelfReport, b: SelfReport): boolean {
  return a.links.length === b.links.length && a.links.every((link, i) => {
    const other = b.links[i]!;
    return link.peer === other.peer && link.latencyMs === other.latencyMs &&
      link.loss === other.loss;
  });
}

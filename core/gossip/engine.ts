import type { NodeCertificate, NodeId } from "../identity/types.ts";
import { decodeContent } from "./content.ts";
import type { GossipCounters } from "./counters.ts";
import { GossipError } from "./errors.ts";
import type { GossipEvent } from "./events.ts";
import { Intake, type IntakeServices } from "./intake.ts";
import { defaultGossipLimits, type GossipLimits } from "./limits.ts";
import { MeshState } from "./mesh_state.ts";
import { decodeMessage, Detail, type Section } from "./message.ts";
import { MessageWriter } from "./message_writer.ts";
import { Neighbour } from "./neighbour.ts";
import { type GossipIdentity, Publisher } from "./publisher.ts";
import { Reception } from "./reception.ts";
import { detachHead, type SignedHead } from "./record.ts";
import { RecordTable } from "./record_table.ts";
import { Repair } from "./repair.ts";
import type { GossipRecord, SelfReport } from "./types.ts";

export interface GossipEngineOptions
  extends Pick<IntakeServices, "verifyCertificate" | "verifySignature"> {
  readonly self: GossipIdentity;
  readonly network: string;
  /** What this node says until `updateSelf()` says otherwise. */
  readonly report: SelfReport;
  /** First sequence of this run. Too low is healed by the first neighbour that remembers. @default 1 */
  readonly initialSequence?: number;
  /** Monotonic milliseconds. */
  readonly now: number;
  /** Uniform in [0, 1): spreads timers, salts digests. */
  readonly random: () => number;
  readonly limits?: Partial<GossipLimits>;
  /** Whether a certificate verified earlier is still within its dates. @default always */
  readonly isCurrent?: (certificate: NodeCertificate) => boolean;
  /** Memoised by the simulation, where a thousand nodes read the same bytes. @default decodeContent */
  readonly readContent?: IntakeServices["readContent"];
  /** Copies a head out of the message it came in. Shared by the simulation. @default detachHead */
  readonly keepHead?: (head: SignedHead) => SignedHead;
}

export interface GossipEffects {
  /** To be sent in this order; each at most 1 MiB. Losing one costs time, nothing else. */
  readonly messages: readonly { readonly peer: NodeId; readonly bytes: Uint8Array<ArrayBuffer> }[];
  readonly events: readonly GossipEvent[];
}

/**
 * Spreads every node's signed record to every node. Sans-I/O: each input takes the monotonic time and returns what to send
 * and what happened; the owner calls `tick()` at `nextWake()` or later.
 */
export class GossipEngine {
  readonly #limits: GossipLimits;
  readonly #random: () => number;
  readonly #state: MeshState;
  readonly #table: RecordTable;
  readonly #neighbours: Map<NodeId, Neighbour>;
  readonly #publisher: Publisher;
  readonly #repair: Repair;
  readonly #reception: Reception;
  readonly #writer = new MessageWriter();
  #sweepAt: number;

  /** @throws {GossipError} GOSSIP_REPORT_INVALID, GOSSIP_SEQUENCE_EXHAUSTED */
  constructor(options: GossipEngineOptions) {
    const limits = this.#limits = { ...defaultGossipLimits, ...options.limits };
    const { now, random, network, self, report } = options;
    const table = this.#table = new RecordTable(limits);
    this.#random = random;
    this.#state = new MeshState({
      self: self.certificate.id,
      table,
      promptMs: limits.promptMs,
      random,
    });
    this.#neighbours = this.#state.neighbours;
    this.#publisher = new Publisher({
      self,
      network,
      report,
      initialSequence: options.initialSequence ?? 1,
      limits,
      random,
      now,
    });
    this.#repair = new Repair({ self: self.certificate.id, table, limits, random });
    this.#reception = new Reception({
      state: this.#state,
      publisher: this.#publisher,
      repair: this.#repair,
      keepHead: options.keepHead ?? detachHead,
      intake: new Intake({
        table,
        limits,
        network,
        services: {
          verifyCertificate: options.verifyCertificate,
          verifySignature: options.verifySignature,
          isCurrent: options.isCurrent ?? (() => true),
          readContent: options.readContent ?? decodeContent,
        },
      }),
    });
    this.#sweepAt = now + limits.sweepMs;
    this.#publish(now);
  }

  get id(): NodeId {
    return this.#publisher.id;
  }

  /** Records held, this node's own included. */
  get size(): number {
    return this.#table.size;
  }

  /** Highest own sequence used. */
  get sequence(): number {
    return this.#publisher.sequence;
  }

  /** Moves when a record came, went or said something new; refreshes leave it alone. */
  get version(): number {
    return this.#table.version;
  }

  /** Moves when the set of nodes or any reported link changed: when routes have to be computed anew. */
  get graphVersion(): number {
    return this.#table.graphVersion;
  }

  /** Live views, this node's own first. */
  records(): IterableIterator<GossipRecord> {
    return this.#table.entries();
  }

  get(id: NodeId): GossipRecord | undefined {
    return this.#table.get(id);
  }

  isRevoked(id: NodeId): boolean {
    return this.#table.isRevoked(id);
  }

  /** Everything since the start, lost links included. */
  counters(): Readonly<GossipCounters> {
    return this.#state.counters();
  }

  /** What came and went over one link; nothing when there is no such link. */
  linkCounters(peer: NodeId): Readonly<GossipCounters> | undefined {
    return this.#neighbours.get(peer)?.counters;
  }

  /** A link is up, or was replaced by another one: what was under way is started anew. */
  linkUp(peer: NodeId, now: number): GossipEffects {
    if (peer === this.id || this.#table.isRevoked(peer)) return this.#effects(now);
    this.#state.forget(peer);
    const neighbour = new Neighbour(peer, {
      limits: this.#limits,
      random: this.#random,
      writer: this.#writer,
      now,
    });
    this.#neighbours.set(peer, neighbour);
    this.#repair.linkUp(neighbour, now);
    this.#repair.tickLink(neighbour, now);
    return this.#effects(now);
  }

  linkDown(peer: NodeId, now: number): GossipEffects {
    const neighbour = this.#state.forget(peer);
    if (neighbour !== undefined) {
      this.#repair.linkDown(neighbour, this.#neighbours.values(), now);
    }
    return this.#effects(now);
  }

  /** A message from a linked peer. Whatever is wrong with it is counted on its link and costs nobody else anything. */
  receive(peer: NodeId, bytes: Uint8Array, now: number): GossipEffects {
    const neighbour = this.#neighbours.get(peer);
    if (neighbour === undefined) return this.#effects(now);
    neighbour.counters.messagesIn++;
    neighbour.counters.bytesIn += bytes.length;
    let sections: readonly Section[] = [];
    try {
      sections = decodeMessage(bytes);
    } catch (error) {
      if (!(error instanceof GossipError)) throw error;
      neighbour.counters.malformedMessages++;
    }
    for (const section of sections) this.#reception.take(neighbour, section, now);
    this.#publish(now);
    return this.#effects(now);
  }

  /** @throws {GossipError} GOSSIP_REPORT_INVALID; what was said before stands */
  updateSelf(report: SelfReport, now: number): GossipEffects {
    this.#publisher.say(report, now);
    this.#publish(now);
    return this.#effects(now);
  }

  /** After a renewal. @throws {GossipError} GOSSIP_CERTIFICATE_MISMATCH a certificate of another key */
  replaceCertificate(identity: GossipIdentity, now: number): GossipEffects {
    this.#publisher.identify(identity, now);
    this.#publish(now);
    return this.#effects(now);
  }

  /** Drops these nodes' records and refuses them from now on. Own id and repeated ids are left alone. */
  revoke(ids: Iterable<NodeId>, now: number): GossipEffects {
    for (const id of ids) {
      if (id === this.id || this.#table.isRevoked(id)) continue;
      const record = this.#table.revoke(id);
      if (record !== undefined) this.#state.emit({ type: "removed", record, reason: "revoked" });
      this.#state.forget(id);
    }
    return this.#effects(now);
  }

  /** Exactly these are refused from now on: others that were come back with their next word. */
  setRevoked(ids: Iterable<NodeId>, now: number): GossipEffects {
    const wanted = new Set(ids);
    for (const id of this.#table.revoked()) if (!wanted.has(id)) this.#table.reinstate(id);
    return this.revoke(wanted, now);
  }

  /** Forgets other nodes' records of which the owner thinks nothing any more. */
  drop(unwanted: (record: GossipRecord) => boolean, now: number): GossipEffects {
    for (
      const record of this.#table.removeWhere((entry) => entry.id !== this.id && unwanted(entry))
    ) {
      this.#state.emit({ type: "removed", record, reason: "dropped" });
    }
    return this.#effects(now);
  }

  /** Does whatever is due. Harmless when called early or late. */
  tick(now: number): GossipEffects {
    this.#publish(now);
    if (this.#sweepAt <= now) {
      this.#sweepAt = now + this.#limits.sweepMs;
      // A live link is proof of life that no other node has.
      const keep = (id: NodeId) => id === this.id || this.#neighbours.has(id);
      for (const record of this.#table.prune(keep, now)) {
        this.#state.emit({ type: "removed", record, reason: "pruned" });
      }
    }
    this.#repair.tick(this.#neighbours, now);
    for (const neighbour of this.#neighbours.values()) {
      neighbour.expire(now);
      this.#repair.tickLink(neighbour, now);
    }
    return this.#effects(now);
  }

  /** When `tick()` is next needed, in the caller's monotonic milliseconds; may be in the past. */
  nextWake(): number {
    let at = Math.min(this.#publisher.nextAt, this.#sweepAt, this.#repair.nextAt);
    for (const neighbour of this.#neighbours.values()) {
      at = Math.min(at, neighbour.nextAt, neighbour.digestAt);
    }
    return at;
  }

  #publish(now: number): void {
    const next = this.#publisher.publish(now);
    if (next === null) return;
    if (next.news === Detail.head) {
      const own = this.#table.get(this.id);
      if (own !== undefined) this.#table.refresh(own, next.entry.head, 0, now);
    } else {
      this.#state.put(next.entry);
    }
    this.#state.spread(this.id, next.news, null, now);
  }

  /** Sends what is due, and hands over everything that happened since the last call. */
  #effects(now: number): GossipEffects {
    const messages: { peer: NodeId; bytes: Uint8Array<ArrayBuffer> }[] = [];
    for (const neighbour of this.#neighbours.values()) {
      for (const bytes of neighbour.flush(this.#lookup, now)) {
        messages.push({ peer: neighbour.id, bytes });
      }
    }
    return { messages, events: this.#state.takeEvents() };
  }

  // A pruned record is only ever marked to tell a neighbour that what it sent is older still.
  readonly #lookup = (id: NodeId) => this.#table.get(id) ?? this.#table.tombstone(id);
}

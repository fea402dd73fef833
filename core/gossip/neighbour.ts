import type { NodeId } from "../identity/types.ts";
import { type GossipCounters, newCounters } from "./counters.ts";
import { type GossipLimits, maxHops } from "./limits.ts";
import { type Ack, Detail, type Digest, Need, type Offer, type Summary } from "./message.ts";
import { MessageWriter } from "./message_writer.ts";
import type { RecordEntry } from "./record_table.ts";
import { TokenBucket } from "./token_bucket.ts";

/** How soon something has to go out: at once, after a short wait for company, or with the next refreshes. */
export type Urgency = "now" | "prompt" | "slow";

interface Flight {
  readonly ids: readonly NodeId[];
  readonly details: readonly Detail[];
  readonly bytes: number;
  readonly prompt: boolean;
  readonly deadline: number;
}

/** Acknowledgements that wait; more are sent at once. */
const maxPendingAcks = 64;
/** Offers or wants in one message: below the message limit with room to spare. */
export const maxListed = 32_768;

/**
 * What one neighbour lacks, what is on its way to it, and when the next message is due. Everything not in `#lacking` or
 * in a flight is what the neighbour is known to hold, so memory is proportional to what is outstanding, not to the table.
 */
export class Neighbour {
  readonly id: NodeId;
  readonly counters: GossipCounters = newCounters();
  readonly verifications: TokenBucket;
  readonly digestAnswers: TokenBucket;
  readonly wantAnswers: TokenBucket;
  /** When to send the next digest, if the peer does not send one before. */
  digestAt = Infinity;
  /** The digest sent last, until its summary has come. */
  awaited: { readonly salt: number; readonly bits: number } | null = null;
  /** Has offered what it then did not send. */
  unreliable = false;

  readonly #limits: GossipLimits;
  readonly #random: () => number;
  readonly #writer: MessageWriter;
  readonly #lacking = new Map<NodeId, Detail>();
  readonly #flights = new Map<number, Flight>();
  readonly #flying = new Map<NodeId, number>();
  readonly #wants = new Map<NodeId, Detail>();
  #acks: Ack[] = [];
  #offers: Offer[] = [];
  #summary: Summary | null = null;
  #digest: Digest | null = null;
  #batch: number;
  #flightBytes = 0;
  /** The earliest deadline of all flights. */
  #deadline = Infinity;
  #resendMs: number;
  #nowAt = Infinity;
  #promptAt = Infinity;
  #slowAt = Infinity;
  #ackAt = Infinity;
  #lastPrompt = -Infinity;
  /** The window is full and there is more to send. */
  #stalled = false;

  /** @param options.writer one for all neighbours: it is empty between flushes */
  constructor(
    id: NodeId,
    options: {
      readonly limits: GossipLimits;
      readonly random: () => number;
      readonly writer: MessageWriter;
      readonly now: number;
    },
  ) {
    const { limits, random, now } = options;
    this.id = id;
    this.#writer = options.writer;
    this.#limits = limits;
    this.#random = random;
    this.#resendMs = limits.resendMs;
    // A peer that restarted might acknowledge batches of its former life: numbers start anywhere.
    this.#batch = Math.floor(random() * 2 ** 32);
    this.verifications = new TokenBucket(limits.verifyBurst, limits.verifyPerSecond, now);
    this.digestAnswers = new TokenBucket(limits.digestBurst, limits.digestPerSecond, now);
    this.wantAnswers = new TokenBucket(limits.wantBurst, limits.wantPerSecond, now);
  }

  /**
   * The neighbour lacks at least this much of a record.
   * @param promptMs the wait for company of a prompt one: the same for all neighbours, so that one wake-up serves them all
   */
  mark(
    id: NodeId,
    detail: Detail,
    urgency: Urgency,
    now: number,
    promptMs: number = this.#limits.promptMs[1],
  ): void {
    const marked = this.#lacking.get(id);
    if (marked === undefined || marked < detail) this.#lacking.set(id, detail);
    if (urgency === "now") {
      this.#nowAt = now;
    } else if (urgency === "prompt") {
      if (this.#promptAt === Infinity) {
        this.#promptAt = Math.max(now + promptMs, this.#lastPrompt + this.#limits.debounceMs);
      }
    } else if (this.#slowAt === Infinity) {
      this.#slowAt = now + this.#between(this.#limits.slowMs);
    }
  }

  /** The neighbour has just shown that it holds what is held here. */
  knows(id: NodeId): void {
    this.#lacking.delete(id);
  }

  /** Whether the record is on its way; if it changed since, it is marked as well. */
  isFlying(id: NodeId): boolean {
    return this.#flying.has(id);
  }

  want(id: NodeId, detail: Detail, now: number): void {
    if (this.#wants.size >= maxListed) return;
    this.#wants.set(id, detail);
    this.#nowAt = now;
  }

  offer(offers: readonly Offer[], now: number): void {
    this.#offers = offers.slice(0, maxListed);
    this.#nowAt = now;
  }

  summarise(summary: Summary, now: number): void {
    this.#summary = summary;
    this.#nowAt = now;
  }

  sendDigest(digest: Digest, now: number): void {
    this.#digest = digest;
    this.awaited = { salt: digest.salt, bits: digest.bits };
    this.#nowAt = now;
  }

  /** @param soon the sender resends soon if it hears nothing */
  acknowledge(ack: Ack, soon: boolean, now: number): void {
    this.#acks.push(ack);
    const wait = this.#acks.length >= maxPendingAcks
      ? 0
      : soon
      ? this.#limits.promptAckMs
      : this.#limits.slowAckMs;
    this.#ackAt = Math.min(this.#ackAt, now + wait);
  }

  /** @returns false for a batch that is not, or no longer, waited for */
  acknowledged(batch: number, problems: Ack["problems"], now: number): boolean {
    const flight = this.#flights.get(batch);
    if (flight === undefined) return false;
    this.#land(batch, flight);
    this.#resendMs = this.#limits.resendMs;
    for (const { index, need } of problems) {
      const id = flight.ids[index];
      if (id !== undefined) this.#redo(id, flight.details[index]!, need, now);
    }
    if (this.#stalled) this.#nowAt = now;
    return true;
  }

  /** Gives up waiting for acknowledgements that are overdue: what they stood for is lacking again. */
  expire(now: number): void {
    if (this.#deadline > now) return;
    let prompt = false;
    for (const [batch, flight] of this.#flights) {
      if (flight.deadline > now) continue;
      this.#land(batch, flight);
      flight.ids.forEach((id, i) => this.mark(id, flight.details[i]!, "now", now));
      this.counters.resent += flight.ids.length;
      prompt ||= flight.prompt;
    }
    if (prompt) this.#resendMs = Math.min(this.#resendMs * 2, this.#limits.roundMs);
  }

  /** When `expire()` or `flush()` has something to do. */
  get nextAt(): number {
    return Math.min(this.#nextFlush, this.#deadline);
  }

  /**
   * The messages that are due.
   * @param lookup the record to send under an id; nothing when there is none any more
   */
  flush(
    lookup: (id: NodeId) => RecordEntry | undefined,
    now: number,
  ): Uint8Array<ArrayBuffer>[] {
    if (this.#nextFlush > now) return [];
    const writer = this.#writer;
    const messages: Uint8Array<ArrayBuffer>[] = [];
    for (const ack of this.#acks) writer.ack(ack);
    this.#acks = [];
    this.#ackAt = Infinity;
    // An acknowledgement alone must not carry changes past the debounce.
    if (this.#nextFlush <= now) this.#writeRecords(lookup, messages, now);
    this.#writeRepair(messages);
    if (!writer.empty) messages.push(writer.finish());
    for (const message of messages) this.counters.bytesOut += message.length;
    this.counters.messagesOut += messages.length;
    return messages;
  }

  #writeRecords(
    lookup: (id: NodeId) => RecordEntry | undefined,
    messages: Uint8Array<ArrayBuffer>[],
    now: number,
  ): void {
    // What was marked for company's sake goes with a change, never the other way round.
    const prompt = this.#promptAt !== Infinity || this.#nowAt !== Infinity;
    if (this.#promptAt !== Infinity) this.#lastPrompt = now;
    this.#nowAt = this.#promptAt = this.#slowAt = Infinity;
    while (this.#lacking.size > 0 && this.#flightBytes < this.#limits.windowBytes) {
      this.#writeBatch(lookup, prompt, now);
      this.#closeFull(messages);
    }
    this.#stalled = this.#lacking.size > 0;
  }

  #writeBatch(
    lookup: (id: NodeId) => RecordEntry | undefined,
    prompt: boolean,
    now: number,
  ): void {
    const writer = this.#writer;
    const start = writer.length;
    const ids: NodeId[] = [];
    const details: Detail[] = [];
    for (const [id, detail] of this.#lacking) {
      this.#lacking.delete(id);
      const entry = lookup(id);
      if (entry === undefined || entry.hops >= maxHops) continue;
      if (ids.length === 0) {
        this.#batch = (this.#batch + 1) >>> 0;
        writer.beginRecords(this.#batch, prompt);
      }
      writer.record({
        head: entry.head,
        hops: entry.hops,
        content: detail >= Detail.content ? entry.content.bytes : null,
        certificate: detail >= Detail.certificate ? entry.certificate.der : null,
      });
      ids.push(id);
      details.push(detail);
      this.#flying.set(id, this.#batch);
      if (writer.length >= this.#limits.batchBytes) break;
    }
    if (ids.length === 0) return;
    writer.endRecords();
    const bytes = writer.length - start;
    const deadline = now + (prompt ? this.#resendMs : this.#limits.roundMs);
    this.#flights.set(this.#batch, { ids, details, bytes, prompt, deadline });
    this.#flightBytes += bytes;
    this.#deadline = Math.min(this.#deadline, deadline);
    this.counters.recordsOut += ids.length;
  }

  #writeRepair(messages: Uint8Array<ArrayBuffer>[]): void {
    const writer = this.#writer;
    if (this.#summary !== null) writer.summary(this.#summary);
    this.#summary = null;
    this.#closeFull(messages);
    if (this.#offers.length > 0) writer.offers(this.#offers);
    this.#offers = [];
    this.#closeFull(messages);
    if (this.#wants.size > 0) writer.wants(this.#wants, this.#wants.size);
    this.#wants.clear();
    this.#closeFull(messages);
    if (this.#digest !== null) writer.digest(this.#digest);
    this.#digest = null;
  }

  #closeFull(messages: Uint8Array<ArrayBuffer>[]): void {
    if (this.#writer.length >= this.#limits.batchBytes) messages.push(this.#writer.finish());
  }

  #redo(id: NodeId, sent: Detail, need: Need, now: number): void {
    // Asking again and again is rationed like any other want.
    const urgency = need !== Need.later && this.wantAnswers.take(1, now) ? "now" : "slow";
    const lacking = need === Need.content
      ? Detail.content
      : need === Need.certificate
      ? Detail.certificate
      : sent;
    this.mark(id, lacking, urgency, now);
  }

  #land(batch: number, flight: Flight): void {
    this.#flights.delete(batch);
    this.#flightBytes -= flight.bytes;
    if (flight.deadline <= this.#deadline) {
      this.#deadline = Infinity;
      for (const { deadline } of this.#flights.values()) {
        this.#deadline = Math.min(this.#deadline, deadline);
      }
    }
    for (const id of flight.ids) if (this.#flying.get(id) === batch) this.#flying.delete(id);
  }

  get #nextFlush(): number {
    return Math.min(this.#nowAt, this.#promptAt, this.#slowAt, this.#ackAt);
  }

  #between([low, high]: readonly [number, number]): number {
    return low + this.#random() * (high - low);
  }
}

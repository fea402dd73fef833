import type { Intake } from "./intake.ts";
import { maxHops } from "./limits.ts";
import { Detail, Need, type RecordBatch, type RecordItem, type Section } from "./message.ts";
import type { MeshState } from "./mesh_state.ts";
import type { Neighbour } from "./neighbour.ts";
import type { Publisher } from "./publisher.ts";
import { sameContent, sameHead, type SignedHead } from "./record.ts";
import { RecordEntry } from "./record_table.ts";
import type { Repair } from "./repair.ts";

/** Above this many hops a shorter way is worth telling; below, hop counts decide nothing. */
const farHops = maxHops / 2;

/** Acts on what neighbours say. Wrong records are counted on the link they came over and go no further. */
export class Reception {
  readonly #state: MeshState;
  readonly #intake: Intake;
  readonly #publisher: Publisher;
  readonly #repair: Repair;
  readonly #keepHead: (head: SignedHead) => SignedHead;

  constructor(
    parts: {
      readonly state: MeshState;
      readonly intake: Intake;
      readonly publisher: Publisher;
      readonly repair: Repair;
      readonly keepHead: (head: SignedHead) => SignedHead;
    },
  ) {
    this.#state = parts.state;
    this.#intake = parts.intake;
    this.#publisher = parts.publisher;
    this.#repair = parts.repair;
    this.#keepHead = parts.keepHead;
  }

  /** Takes one section of a message from a neighbour. */
  take(neighbour: Neighbour, section: Section, now: number): void {
    switch (section.type) {
      case "records":
        return this.#takeBatch(neighbour, section.batch, now);
      case "ack":
        neighbour.acknowledged(section.ack.batch, section.ack.problems, now);
        return;
      case "digest":
        if (!this.#repair.onDigest(neighbour, section.digest, now)) neighbour.counters.ignored++;
        return;
      case "summary":
        if (!this.#repair.onSummary(neighbour, section.summary, now)) neighbour.counters.ignored++;
        return;
      case "offer":
        return this.#repair.onOffers(neighbour, section.offers, now);
      case "want":
        neighbour.counters.ignored += this.#repair.onWants(neighbour, section.wants, now);
        return;
    }
  }

  #takeBatch(neighbour: Neighbour, batch: RecordBatch, now: number): void {
    neighbour.counters.recordsIn += batch.items.length;
    const problems: { index: number; need: Need }[] = [];
    for (const [index, item] of batch.items.entries()) {
      if (item.head.id === this.#state.self) {
        this.#hearSelf(neighbour, item.head, now);
        continue;
      }
      const need = this.#takeRecord(neighbour, item, now);
      if (need !== null) problems.push({ index, need });
    }
    neighbour.acknowledge({ batch: batch.number, problems }, batch.prompt, now);
  }

  #takeRecord(neighbour: Neighbour, item: RecordItem, now: number): Need | null {
    const { counters } = neighbour;
    const { head } = item;
    const linked = this.#state.neighbours.has(head.id);
    const verdict = this.#intake.judge(item, neighbour.verifications, linked, now);
    switch (verdict.kind) {
      case "needs":
        if (verdict.need === Need.later) counters.deferred++;
        return verdict.need;
      case "dropped":
        counters[verdict.counter]++;
        return null;
      case "held":
        counters.duplicates++;
        neighbour.knows(head.id);
        this.#shorten(neighbour, item, now);
        return null;
      case "older":
        counters[verdict.counter]++;
        this.#correct(neighbour, verdict.newer, head, now);
        return null;
      case "equivocation":
        counters.equivocations++;
        this.#equivocated(neighbour, verdict.held, now);
        return null;
      case "accepted":
        this.#accept(neighbour, item, verdict, now);
        return null;
    }
  }

  #accept(
    neighbour: Neighbour,
    item: RecordItem,
    verdict: Pick<RecordEntry, "content" | "certificate"> & { readonly news: Detail },
    now: number,
  ): void {
    const { content, certificate, news } = verdict;
    const head = this.#keepHead(item.head);
    const hops = item.hops + 1;
    const held = this.#state.table.get(head.id);
    const allowanceAt = this.#intake.nextAllowance(held?.allowanceAt ?? now, now);
    if (held !== undefined && news === Detail.head) {
      this.#state.table.refresh(held, head, hops, now);
      held.allowanceAt = allowanceAt;
      neighbour.counters.refreshed++;
    } else {
      this.#state.put(new RecordEntry({ head, content, certificate, hops, now, allowanceAt }));
      neighbour.counters.accepted++;
    }
    this.#repair.arrived(head.id, head.sequence);
    neighbour.knows(head.id);
    if (hops >= maxHops) {
      neighbour.counters.hopLimited++;
      return;
    }
    const detail = held === undefined ? Detail.certificate : news;
    this.#state.spread(head.id, detail, neighbour, now);
  }

  /** The same record by a shorter way: an inflated hop count heard first must not end its journey. */
  #shorten(neighbour: Neighbour, { head, hops }: RecordItem, now: number): void {
    const held = this.#state.table.get(head.id);
    if (held === undefined || hops + 1 >= held.hops) return;
    const before = held.hops;
    held.hops = hops + 1;
    // The head alone: whoever lacks more asks for it, and the liar has not made anybody send more than that.
    if (before <= farHops) return;
    const urgency = before >= maxHops ? "prompt" : "slow";
    this.#state.spread(head.id, Detail.head, neighbour, now, urgency);
  }

  /** Said once for each sequence, however often the two records are shown. */
  #equivocated(neighbour: Neighbour, held: RecordEntry, now: number): void {
    const { id, sequence } = held;
    if (held.disputed === sequence) return;
    held.disputed = sequence;
    this.#state.emit({ type: "equivocation", id, sequence });
    // Only the author can end it, by a higher sequence: it has to see what is held here.
    if (neighbour.id === id) neighbour.mark(id, Detail.content, "slow", now);
  }

  /** The neighbour sent something older than what is held here. */
  #correct(neighbour: Neighbour, newer: RecordEntry, head: SignedHead, now: number): void {
    // Nobody verified what the neighbour sent: what it gets for it is rationed like a want.
    if (neighbour.isFlying(newer.id) || !neighbour.wantAnswers.take(1, now)) return;
    const detail = sameContent(newer.head, head) ? Detail.head : Detail.content;
    neighbour.mark(newer.id, detail, "prompt", now);
  }

  #hearSelf(neighbour: Neighbour, head: SignedHead, now: number): void {
    const own = this.#state.table.get(this.#state.self);
    if (own === undefined) return;
    if (head.sequence < own.sequence) {
      neighbour.counters.older++;
      this.#correct(neighbour, own, head, now);
    } else if (sameHead(head, own.head)) {
      neighbour.counters.duplicates++;
      neighbour.knows(this.#state.self);
    } else if (
      !neighbour.verifications.take(1, now) ||
      !this.#intake.signedBy(own.certificate.publicKey, head)
    ) {
      neighbour.counters.badSignatures++;
    } else {
      // Every neighbour shows it; the first one is news.
      if (!this.#publisher.overtaken(head.sequence, now)) return;
      const { exhausted } = this.#publisher;
      this.#state.emit({ type: "overtaken", sequence: head.sequence, exhausted });
    }
  }
}

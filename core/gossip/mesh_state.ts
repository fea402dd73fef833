import type { NodeId } from "../identity/types.ts";
import { addCounters, type GossipCounters, newCounters } from "./counters.ts";
import type { GossipEvent } from "./events.ts";
import { Detail } from "./message.ts";
import type { Neighbour, Urgency } from "./neighbour.ts";
import type { RecordEntry, RecordTable } from "./record_table.ts";

/** What the parts of the engine share: the records, the neighbours, and what has happened since the owner last looked. */
export class MeshState {
  readonly self: NodeId;
  readonly table: RecordTable;
  readonly neighbours = new Map<NodeId, Neighbour>();
  readonly #promptMs: readonly [number, number];
  readonly #random: () => number;
  #events: GossipEvent[] = [];
  readonly #lost: GossipCounters = newCounters();

  constructor(
    options: {
      readonly self: NodeId;
      readonly table: RecordTable;
      readonly promptMs: readonly [number, number];
      readonly random: () => number;
    },
  ) {
    this.self = options.self;
    this.table = options.table;
    this.#promptMs = options.promptMs;
    this.#random = options.random;
  }

  emit(event: GossipEvent): void {
    this.#events.push(event);
  }

  takeEvents(): readonly GossipEvent[] {
    const events = this.#events;
    if (events.length > 0) this.#events = [];
    return events;
  }

  /** Takes a new or changed record and says so. */
  put(entry: RecordEntry): void {
    const previous = this.table.put(entry);
    if (entry.id === this.self) return;
    this.emit(
      previous === undefined
        ? { type: "added", record: entry }
        : { type: "updated", record: entry, previous },
    );
  }

  /** Every neighbour but the one it came from now lacks this. Refreshes wait for company, changes do not. */
  spread(
    id: NodeId,
    detail: Detail,
    from: Neighbour | null,
    now: number,
    urgency: Urgency = detail === Detail.head ? "slow" : "prompt",
  ): void {
    const [low, high] = this.#promptMs;
    const promptMs = low + this.#random() * (high - low);
    for (const neighbour of this.neighbours.values()) {
      if (neighbour !== from) neighbour.mark(id, detail, urgency, now, promptMs);
    }
  }

  /** Lets go of a neighbour; its counters stay in the sum. */
  forget(peer: NodeId): Neighbour | undefined {
    const neighbour = this.neighbours.get(peer);
    if (neighbour === undefined) return undefined;
    addCounters(this.#lost, neighbour.counters);
    this.neighbours.delete(peer);
    return neighbour;
  }

  /** Everything since the start, lost links included. */
  counters(): GossipCounters {
    const sum = { ...this.#lost };
    for (const neighbour of this.neighbours.values()) addCounters(sum, neighbour.counters);
    return sum;
  }
}

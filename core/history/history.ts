import { join } from "node:path";
import type { Clock } from "../clock/clock.ts";
import type { LogFn } from "../plugin/types.ts";
import { AuditLog, auditSchema } from "./audit_log.ts";
import { HistoryDatabase } from "./database.ts";
import { eventSchema, EventStore } from "./event_store.ts";
import type { PeerSample } from "./rollup.ts";
import { statsSchema, StatsStore } from "./stats_store.ts";
import { SteadyTime } from "./steady_time.ts";
import { StorageHealth } from "./storage_health.ts";
import type {
  AuditFields,
  AuditPage,
  AuditVerdict,
  EventFields,
  EventPage,
  EventQuery,
  FollowItem,
  FollowOptions,
  HistoryControl,
  StatsAnswer,
  StatsQuery,
} from "./types.ts";

/** Names of the files in a data directory. */
export const historyFiles = {
  history: "history.db",
  audit: "audit.db",
  auditHead: "audit.head",
} as const;

/** Largest size of `history.db` and of `audit.db`, each. */
export const maxFileBytes: number = 64 * 1024 * 1024;

export interface HistoryOptions {
  readonly dataDir: string;
  /** This node. */
  readonly self: string;
  readonly clock: Clock;
  readonly log: LogFn;
  /** The id that a beginning of it or a name stands for. @throws {PulseError} NODE_UNKNOWN, NODE_AMBIGUOUS */
  resolveNode(text: string): string;
  /** Asks another node for its statistics. */
  askNode(node: string, query: StatsQuery): Promise<StatsAnswer>;
}

/** A warning for `pulse status`. */
export interface HistoryWarning {
  readonly code: "HISTORY_UNWRITABLE";
  readonly severity: "warning";
  readonly text: string;
}

/**
 * Everything a node remembers of what happened: events, statistics of its peers, and who changed what. Nothing here can fail the node:
 * reading may throw, writing never does. No file is touched before there is something to write or to read.
 */
export class History implements HistoryControl, Disposable {
  readonly #options: HistoryOptions;
  readonly #files: { readonly health: StorageHealth; readonly database: HistoryDatabase }[] = [];
  readonly #events: EventStore;
  readonly #stats: StatsStore;
  readonly #audit: AuditLog;

  constructor(options: HistoryOptions) {
    this.#options = options;
    const { clock, dataDir, self } = options;
    const wall = () => clock.wall();
    const time = new SteadyTime(clock);
    const steady = () => time.now();
    const history = this.#file(
      historyFiles.history,
      "events and statistics",
      `${eventSchema}${statsSchema}`,
      "NORMAL",
    );
    this.#events = new EventStore({ database: history.database, wall, steady });
    this.#stats = new StatsStore({ database: history.database, self, wall, steady });
    const audit = this.#file(historyFiles.audit, "audit entries", auditSchema, "FULL");
    const headPath = join(dataDir, historyFiles.auditHead);
    this.#audit = new AuditLog({ ...audit, headPath, wall });
  }

  #file(name: string, what: string, schema: string, synchronous: "NORMAL" | "FULL") {
    const { dataDir, clock, log } = this.#options;
    const path = join(dataDir, name);
    const now = () => clock.now();
    const wall = () => clock.wall();
    const health = new StorageHealth({ what, path, now, log });
    const options = { path, schema, synchronous, maxBytes: maxFileBytes, health, now, wall };
    const database = new HistoryDatabase(options);
    const file = { health, database };
    this.#files.push(file);
    return file;
  }

  /** Something happened; told to those who follow at once, on the disk within half a second. */
  event(type: string, fields: EventFields): void {
    this.#events.append(type, fields);
  }

  /** What is known of the peers now; every ten seconds. */
  sample(samples: readonly PeerSample[]): void {
    this.#stats.record(samples);
  }

  warnings(): HistoryWarning[] {
    return this.#files.flatMap(({ health }) =>
      health.warning === undefined
        ? []
        : [{ code: "HISTORY_UNWRITABLE", severity: "warning", text: health.warning }]
    );
  }

  events(query: EventQuery): EventPage {
    return this.#events.query({ ...query, node: this.#id(query.node) });
  }

  follow(options: FollowOptions): AsyncIterable<FollowItem> {
    return this.#events.follow({ ...options, node: this.#id(options.node) });
  }

  async stats(
    query: StatsQuery & { readonly node?: string | undefined },
  ): Promise<StatsAnswer> {
    const node = this.#id(query.node);
    const { since, resolution, limit } = query;
    const plain = { since, resolution, limit, peer: this.#id(query.peer) };
    if (node === undefined || node === this.#options.self) return this.#stats.query(plain);
    return await this.#options.askNode(node, plain);
  }

  audit(query: { readonly limit: number; readonly before?: number | undefined }): AuditPage {
    return this.#audit.list(query.limit, query.before);
  }

  async verifyAudit(): Promise<AuditVerdict> {
    return await this.#audit.verify();
  }

  async recordAudit(type: string, fields: AuditFields): Promise<void> {
    await this.#audit.append(type, fields);
  }

  /** A whole id may be that of a node nobody knows any more. */
  #id(text: string | undefined): string | undefined {
    if (text === undefined || /^[0-9a-f]{32}$/.test(text)) return text;
    return this.#options.resolveNode(text);
  }

  [Symbol.dispose](): void {
    this.#events[Symbol.dispose]();
    for (const { database } of this.#files) database[Symbol.dispose]();
  }
}

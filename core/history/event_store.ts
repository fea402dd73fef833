import type { Json } from "../plugin/types.ts";
import { numberOf, optionalText, type Row, textOf } from "../storage/columns.ts";
import type { HistoryDatabase } from "./database.ts";
import { EventFeed } from "./event_feed.ts";
import { redact } from "./redact.ts";
import type {
  EventFields,
  EventFilter,
  EventPage,
  EventQuery,
  FollowItem,
  FollowOptions,
  HistoryEvent,
} from "./types.ts";

export interface EventLimits {
  readonly rows: number;
  readonly ageMs: number;
  /** Of the texts of all events together. */
  readonly bytes: number;
}

export const defaultEventLimits: EventLimits = {
  rows: 100_000,
  ageMs: 30 * 86_400_000,
  bytes: 20 * 1024 * 1024,
};

export interface EventStoreOptions {
  readonly database: HistoryDatabase;
  readonly limits?: EventLimits;
  wall(): number;
  /** Wall-clock time that decides what is too old. */
  steady(): number;
}

export const eventSchema = `
  CREATE TABLE IF NOT EXISTS events (
    id INTEGER PRIMARY KEY,
    ts INTEGER NOT NULL,
    type TEXT NOT NULL,
    node TEXT,
    detail TEXT,
    error TEXT,
    fields TEXT NOT NULL,
    bytes INTEGER NOT NULL
  ) STRICT;
`;

/** Events are written together, so soon after the first of them. */
const flushMs = 500;
/** Events that wait to be written; beyond that the oldest is lost. */
const maxWaiting = 1_000;
/** Longest backlog a follower gets in one piece. */
const maxBacklog = 10_000;
/** Old events are looked for once in so many writes. */
const writesPerAgeCheck = 100;
const maxText = 1_024;
const maxFieldsText = 4_096;

/** What happened here, oldest events first to go. Written in batches; a kill may cost the last half second. */
export class EventStore implements Disposable {
  readonly #options: EventStoreOptions;
  readonly #limits: EventLimits;
  readonly #feed = new EventFeed();
  #waiting: HistoryEvent[] = [];
  #timer: ReturnType<typeof setTimeout> | undefined;
  #nextId: number | undefined;
  #generation = -1;
  #rows = 0;
  #bytes = 0;
  #writes = 0;

  constructor(options: EventStoreOptions) {
    this.#options = options;
    this.#limits = options.limits ?? defaultEventLimits;
  }

  append(type: string, fields: EventFields): HistoryEvent {
    const { node, detail, error, ...rest } = fields;
    const id = this.#nextId ??= this.#firstId();
    this.#nextId = id + 1;
    const event: HistoryEvent = {
      id,
      ts: new Date(this.#options.wall()).toISOString(),
      type: type.slice(0, 64),
      node: typeof node === "string" ? node.slice(0, 64) : null,
      detail: textField(detail),
      error: textField(error),
      fields: boundedFields(rest),
    };
    if (this.#waiting.length >= maxWaiting) this.#waiting.shift();
    this.#waiting.push(event);
    this.#feed.publish(event);
    this.#timer ??= setTimeout(() => this.flush(), flushMs);
    return event;
  }

  /** Newest first. @throws {HistoryError} HISTORY_UNAVAILABLE */
  query(query: EventQuery): EventPage {
    this.flush();
    const { database } = this.#options;
    const { where, values } = condition(query);
    const rows = database.read(() =>
      database.all(
        `SELECT * FROM events WHERE id < ?${where} ORDER BY id DESC LIMIT ?`,
        query.before ?? Number.MAX_SAFE_INTEGER,
        ...values,
        query.limit + 1,
      )
    );
    const events = rows.slice(0, query.limit).map(eventOf);
    const last = events.at(-1);
    return { events, next: rows.length > query.limit && last ? String(last.id) : null };
  }

  /** @throws {HistoryError} HISTORY_FOLLOWERS_UNAVAILABLE, HISTORY_UNAVAILABLE */
  follow(options: FollowOptions): AsyncGenerator<FollowItem> {
    return this.#feed.follow(
      options,
      options.after === undefined ? [] : this.#since(options.after, options),
    );
  }

  #since(after: number, filter: EventFilter): HistoryEvent[] {
    this.flush();
    const { database } = this.#options;
    const { where, values } = condition(filter);
    const newest = database.read(() =>
      database.all(
        `SELECT * FROM events WHERE id > ?${where} ORDER BY id DESC LIMIT ?`,
        after,
        ...values,
        maxBacklog,
      )
    );
    return newest.reverse().map(eventOf);
  }

  /** Writes what waits. What cannot be written is lost and counted. */
  flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const events = this.#waiting;
    if (events.length === 0) return;
    this.#waiting = [];
    const written = this.#options.database.write(events.length, (database) => {
      this.#count(database);
      for (const event of events) {
        const fields = JSON.stringify(event.fields);
        const bytes = event.type.length + fields.length + (event.node?.length ?? 0) +
          (event.detail?.length ?? 0) + (event.error?.length ?? 0);
        database.run(
          "INSERT OR REPLACE INTO events VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
          event.id,
          Date.parse(event.ts),
          event.type,
          event.node,
          event.detail,
          event.error,
          fields,
          bytes,
        );
        this.#rows++;
        this.#bytes += bytes;
      }
      this.#prune(database);
    });
    if (!written) this.#generation = -1;
  }

  [Symbol.dispose](): void {
    this.flush();
    this.#feed.end();
  }

  #firstId(): number {
    const { database } = this.#options;
    try {
      return database.read(() => numberOf(database.first(lastIdQuery), "id")) + 1;
    } catch {
      // The write that follows fails too, and is reported; ids then begin anew with this process.
      return 1;
    }
  }

  #count(database: HistoryDatabase): void {
    if (this.#generation === database.generation) return;
    const row = database.first("SELECT COUNT(*) AS n, TOTAL(bytes) AS bytes FROM events");
    this.#rows = numberOf(row, "n");
    this.#bytes = numberOf(row, "bytes");
    this.#generation = database.generation;
  }

  #prune(database: HistoryDatabase): void {
    const { rows, bytes, ageMs } = this.#limits;
    if (this.#writes++ % writesPerAgeCheck === 0) {
      database.run("DELETE FROM events WHERE ts < ?", this.#options.steady() - ageMs);
      this.#generation = -1;
      this.#count(database);
    }
    while (this.#rows > rows || this.#bytes > bytes) {
      // A tenth more than needed, so that the next many writes have room.
      const share = Math.min(rows / Math.max(1, this.#rows), bytes / Math.max(1, this.#bytes));
      const doomed = Math.ceil(this.#rows * (1 - 0.9 * share));
      database.run(
        "DELETE FROM events WHERE id IN (SELECT id FROM events ORDER BY id LIMIT ?)",
        doomed,
      );
      this.#generation = -1;
      this.#count(database);
    }
  }
}

const lastIdQuery = "SELECT COALESCE(MAX(id), 0) AS id FROM events";

function condition(filter: EventFilter): { where: string; values: (string | number)[] } {
  const terms: string[] = [];
  const values: (string | number)[] = [];
  const add = (term: string, value: string | number | undefined) => {
    if (value === undefined) return;
    terms.push(` AND ${term}`);
    values.push(value);
  };
  add("type = ?", filter.type);
  add("node = ?", filter.node);
  add("ts >= ?", filter.since);
  add("ts < ?", filter.until);
  return { where: terms.join(""), values };
}

function textField(value: Json | undefined): string | null {
  if (value === undefined || value === null) return null;
  const text = redact(typeof value === "string" ? value : JSON.stringify(value));
  return String(text).slice(0, maxText);
}

function boundedFields(fields: EventFields): HistoryEvent["fields"] {
  const clean = redact(fields);
  if (JSON.stringify(clean).length > maxFieldsText) return { cut: true };
  return clean as HistoryEvent["fields"];
}

function eventOf(row: Row): HistoryEvent {
  return {
    id: numberOf(row, "id"),
    ts: new Date(numberOf(row, "ts")).toISOString(),
    type: textOf(row, "type"),
    node: optionalText(row, "node"),
    detail: optionalText(row, "detail"),
    error: optionalText(row, "error"),
    fields: JSON.parse(textOf(row, "fields")),
  };
}

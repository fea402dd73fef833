import { chainHash, type ChainLink, genesis, walkChain } from "../../core/history/hash_chain.ts";
import { numberOf, textOf } from "../../core/storage/mod.ts";
import type { CaDatabase } from "./database.ts";

export type AuditType =
  | "ca_opened"
  | "certificate_issued"
  | "certificate_repeated"
  | "certificate_renewed"
  | "join_refused"
  | "join_abandoned"
  | "renewal_refused"
  | "token_created"
  | "token_revoked"
  | "node_revoked"
  | "roles_changed"
  | "scribe_granted"
  | "scribe_refused"
  | "ca_roll_started"
  | "ca_roll_finished"
  | "config_followed";

/** What an entry says besides its type and time: ids, serials, reasons; never a token. */
export type AuditFields = Readonly<Record<string, string | number | readonly string[] | undefined>>;

export interface AuditEntry {
  readonly seq: number;
  /** RFC 3339. */
  readonly at: string;
  readonly type: string;
  readonly fields: AuditFields;
  /** SHA-256 over the previous entry's hash and this entry's body, lower-case hex. */
  readonly hash: string;
}

/** Result of walking the chain. `brokenAt` is the number of the first entry that does not fit, null when all do. */
export interface AuditVerdict {
  readonly entries: number;
  readonly brokenAt: number | null;
  readonly reason: string | null;
}

/** As `append` writes it; only that writes the table. */
type AuditBody = AuditFields & { readonly at: string; readonly type: string };

/**
 * What the CA did, as a chain of hashes: an entry changed, removed or put in later breaks it. Entries are rows of the CA's database
 * and written in the transaction of what they report: there is no certificate without its entry, and no torn entry after a crash.
 * (Whoever can write the file can also write a whole new chain: keep a copy of a recent hash elsewhere to notice that.)
 */
export class AuditLog {
  readonly #database: CaDatabase;
  /** Told of each entry once it is on the disk. */
  onEntry: (type: AuditType, fields: AuditFields) => void = () => {};

  constructor(database: CaDatabase) {
    this.#database = database;
  }

  /** Call it inside the transaction that makes it true. @param now wall clock, ms */
  append(type: AuditType, fields: AuditFields, now: number): void {
    const last = this.#database.first("SELECT hash FROM audit ORDER BY seq DESC LIMIT 1");
    const previous = last === undefined ? genesis : textOf(last, "hash");
    const body = JSON.stringify({ at: new Date(now).toISOString(), type, ...fields });
    this.#database.change(
      "INSERT INTO audit (previous, body, hash) VALUES (?, ?, ?)",
      previous,
      body,
      chainHash(previous, body),
    );
    this.#database.afterCommit(() => this.onEntry(type, fields));
  }

  /** Newest first. @param before only entries with a smaller number */
  list(limit: number, before = Number.MAX_SAFE_INTEGER): AuditEntry[] {
    return this.#database
      .all("SELECT * FROM audit WHERE seq < ? ORDER BY seq DESC LIMIT ?", before, limit)
      .map((row) => {
        const body: AuditBody = JSON.parse(textOf(row, "body"));
        const { at, type, ...fields } = body;
        return { seq: numberOf(row, "seq"), at, type, fields, hash: textOf(row, "hash") };
      });
  }

  /** Hash of the newest entry: the one to keep elsewhere. */
  head(): string {
    const last = this.#database.first("SELECT hash FROM audit ORDER BY seq DESC LIMIT 1");
    return last === undefined ? genesis : textOf(last, "hash");
  }

  /** Walks the whole chain; about 4 us an entry. */
  verify(): AuditVerdict {
    const { entries, brokenAt, reason } = walkChain(this.#links());
    if (brokenAt !== null) return { entries, brokenAt, reason };
    // AUTOINCREMENT remembers the last number given out: entries cut off at the end are missed.
    const counter = this.#database.first("SELECT seq FROM sqlite_sequence WHERE name = 'audit'");
    const given = counter === undefined ? 0 : numberOf(counter, "seq");
    if (given !== entries) {
      return { entries, brokenAt: entries + 1, reason: `entry ${entries + 1} is missing` };
    }
    return { entries, brokenAt: null, reason: null };
  }

  *#links(): Generator<ChainLink> {
    for (const row of this.#database.each("SELECT * FROM audit ORDER BY seq")) {
      yield {
        seq: numberOf(row, "seq"),
        previous: textOf(row, "previous"),
        body: textOf(row, "body"),
        hash: textOf(row, "hash"),
      };
    }
  }
}

import type { Json } from "../plugin/types.ts";
import { errorText } from "../errors/mod.ts";
import { type AuditHead, emptyHead, readAuditHead, writeAuditHead } from "./audit_head.ts";
import { numberOf, type Row, textOf } from "../storage/columns.ts";
import type { HistoryDatabase } from "./database.ts";
import { chainHash, type ChainLink, type ChainPosition, walkChain } from "./hash_chain.ts";
import { redact } from "./redact.ts";
import type { StorageHealth } from "./storage_health.ts";
import type { AuditEntry, AuditFields, AuditPage, AuditVerdict } from "./types.ts";

export interface AuditLimits {
  readonly rows: number;
  /** Of the file. */
  readonly bytes: number;
}

export const defaultAuditLimits: AuditLimits = { rows: 100_000, bytes: 56 * 1024 * 1024 };

export interface AuditLogOptions {
  readonly database: HistoryDatabase;
  /** `<data-dir>/audit.head` */
  readonly headPath: string;
  readonly health: StorageHealth;
  readonly limits?: AuditLimits;
  wall(): number;
}

export const auditSchema = `
  CREATE TABLE IF NOT EXISTS audit (
    seq INTEGER PRIMARY KEY,
    previous TEXT NOT NULL,
    body TEXT NOT NULL,
    hash TEXT NOT NULL
  ) STRICT;
`;

/** An entry's fields as JSON; larger ones lose their details. */
const maxBody = 16_384;
/** Entries that wait for the disk; beyond that they are lost, and counted. */
const maxWaiting = 256;
/** Bytes are looked at once in so many entries. */
const entriesPerSizeCheck = 256;

/**
 * Who changed what, as a chain of hashes. An entry is on the disk when `append` resolves; the number and hash of the newest are kept in
 * a file of their own. Entries that go for their age move the chain's beginning, which that file records too.
 * (Whoever can write both files can write a whole new chain: keep a copy of a recent hash elsewhere to notice that.)
 */
export class AuditLog {
  readonly #options: AuditLogOptions;
  readonly #limits: AuditLimits;
  #head: AuditHead | undefined;
  #turn: Promise<void> = Promise.resolve();
  #waiting = 0;
  #appended = 0;

  constructor(options: AuditLogOptions) {
    this.#options = options;
    this.#limits = options.limits ?? defaultAuditLimits;
  }

  /** Never rejects: what cannot be written is counted and reported. */
  append(type: string, fields: AuditFields): Promise<void> {
    if (this.#waiting >= maxWaiting) {
      this.#options.health.failed(1, `${maxWaiting} entries wait for the disk already`);
      return Promise.resolve();
    }
    this.#waiting++;
    const body = bodyOf(this.#options.wall(), type, fields);
    return this.#inTurn(async () => {
      try {
        await this.#write(body);
      } catch (error) {
        this.#options.health.failed(1, errorText(error));
      } finally {
        this.#waiting--;
      }
    });
  }

  /** Newest first. @throws {HistoryError} HISTORY_UNAVAILABLE */
  list(limit: number, before = Number.MAX_SAFE_INTEGER): AuditPage {
    const { database } = this.#options;
    const rows = database.read(() =>
      database.all("SELECT * FROM audit WHERE seq < ? ORDER BY seq DESC LIMIT ?", before, limit + 1)
    );
    const entries = rows.slice(0, limit).map(entryOf);
    const last = entries.at(-1);
    return { entries, next: rows.length > limit && last ? String(last.seq) : null };
  }

  /** Walks the whole chain and compares its end with the record kept apart. @throws {HistoryError} HISTORY_UNAVAILABLE */
  async verify(): Promise<AuditVerdict> {
    const { promise, resolve, reject } = Promise.withResolvers<AuditVerdict>();
    await this.#inTurn(() => {
      try {
        resolve(this.#verify());
      } catch (error) {
        reject(error);
      }
      return Promise.resolve();
    });
    return await promise;
  }

  #verify(): AuditVerdict {
    const { database } = this.#options;
    return database.read(() => {
      const { base, last, fault } = this.#loadHead();
      const walked = walkChain(linksBehind(database, base.seq), base);
      const verdict = (brokenAt: number | null, reason: string | null): AuditVerdict => ({
        entries: walked.entries,
        first: base.seq + 1,
        brokenAt,
        reason,
        head: walked.last.hash,
      });
      if (walked.brokenAt !== null) return verdict(walked.brokenAt, walked.reason);
      const end = walked.last;
      if (end.seq < last.seq) return verdict(end.seq + 1, `entry ${end.seq + 1} is missing`);
      if (end.seq > last.seq) {
        return verdict(last.seq + 1, `entry ${last.seq + 1} was not written by this node`);
      }
      if (end.hash !== last.hash) return verdict(end.seq, `entry ${end.seq} was changed`);
      return fault === null ? verdict(null, null) : verdict(base.seq + 1, fault);
    });
  }

  async #write(body: string): Promise<void> {
    const { database, headPath, health } = this.#options;
    const before = database.read(() => this.#loadHead());
    const last: ChainPosition = {
      seq: before.last.seq + 1,
      hash: chainHash(before.last.hash, body),
    };
    const written = database.write(1, () => {
      const values = [last.seq, before.last.hash, body, last.hash];
      database.run("INSERT INTO audit VALUES (?, ?, ?, ?)", ...values);
    });
    if (!written) {
      // Perhaps the file was moved aside: what is there now is looked at again.
      this.#head = undefined;
      return;
    }
    const base = this.#appended++ % entriesPerSizeCheck === 0 ? this.#newBase(before.base) : null;
    const head = this.#head = { ...before, ...(base === null ? {} : { base, fault: null }), last };
    try {
      await writeAuditHead(headPath, head);
    } catch (error) {
      health.failed(0, `${headPath}: ${errorText(error)}`);
      return;
    }
    // After the record: a crash in between leaves entries too many, which nobody looks at.
    if (base !== null) {
      database.write(0, () => database.run("DELETE FROM audit WHERE seq <= ?", base.seq));
    }
  }

  /** The newest entry that has to go for the limits, null when none has: a tenth of what is there at a time. */
  #newBase(base: ChainPosition): ChainPosition | null {
    const { database } = this.#options;
    const { rows, bytes } = this.#limits;
    return database.read(() => {
      const n = numberOf(database.first("SELECT COUNT(*) AS n FROM audit"), "n");
      if (n <= rows && database.usedBytes() <= bytes) return null;
      const row = database.first(
        "SELECT seq, hash FROM audit WHERE seq > ? ORDER BY seq LIMIT 1 OFFSET ?",
        base.seq,
        Math.max(0, Math.max(n - rows, 0) + Math.floor(n / 10) - 1),
      );
      return row === undefined ? null : { seq: numberOf(row, "seq"), hash: textOf(row, "hash") };
    });
  }

  /** From the record kept apart; where a crash left that one entry behind, from the entry. */
  #loadHead(): AuditHead {
    if (this.#head !== undefined) return this.#head;
    const { database, headPath, wall } = this.#options;
    const stored = readAuditHead(headPath);
    const newest = database.first("SELECT * FROM audit ORDER BY seq DESC LIMIT 1");
    if (stored === null && newest === undefined) return this.#head = emptyHead;
    if (stored === null || stored === "unreadable") {
      const at = new Date(wall()).toISOString();
      const what = stored === null ? "missing" : "unreadable";
      const fault = `the record of the newest entry, ${headPath}, was ${what} at ${at}: ` +
        "entries cut off at the end before then are not noticed";
      const first = database.first("SELECT * FROM audit ORDER BY seq LIMIT 1");
      return this.#head = {
        base: first === undefined
          ? emptyHead.base
          : { seq: numberOf(first, "seq") - 1, hash: textOf(first, "previous") },
        last: newest === undefined
          ? emptyHead.last
          : { seq: numberOf(newest, "seq"), hash: textOf(newest, "hash") },
        fault,
      };
    }
    if (newest !== undefined) {
      const link = linkOf(newest);
      const follows = link.seq === stored.last.seq + 1 && link.previous === stored.last.hash &&
        link.hash === chainHash(link.previous, link.body);
      if (follows) return this.#head = { ...stored, last: { seq: link.seq, hash: link.hash } };
    }
    return this.#head = stored;
  }

  /** One after the other, in the order of the calls. */
  #inTurn(work: () => Promise<void>): Promise<void> {
    return this.#turn = this.#turn.then(work);
  }
}

function* linksBehind(database: HistoryDatabase, seq: number): Generator<ChainLink> {
  for (const row of database.each("SELECT * FROM audit WHERE seq > ? ORDER BY seq", seq)) {
    yield linkOf(row);
  }
}

function linkOf(row: Row): ChainLink {
  return {
    seq: numberOf(row, "seq"),
    previous: textOf(row, "previous"),
    body: textOf(row, "body"),
    hash: textOf(row, "hash"),
  };
}

function bodyOf(now: number, type: string, fields: AuditFields): string {
  const at = new Date(now).toISOString();
  const kind = type.slice(0, 64);
  const body = JSON.stringify({ at, type: kind, fields: redact(fields) });
  if (body.length <= maxBody) return body;
  const { by, from, method, path, status } = fields;
  const short = redact({ by, from, method, path, status, cut: true });
  return JSON.stringify({ at, type: kind, fields: short });
}

function entryOf(row: Row): AuditEntry {
  const body: { at: string; type: string; fields: { [key: string]: Json } } = JSON.parse(
    textOf(row, "body"),
  );
  return { seq: numberOf(row, "seq"), ...body, hash: textOf(row, "hash") };
}

import { DatabaseSync, type SQLInputValue, type SQLOutputValue } from "node:sqlite";
import { errorText } from "../../core/errors/mod.ts";
import { ScribeError } from "./errors.ts";

export type Row = Readonly<Record<string, SQLOutputValue>>;

const schema = `
  CREATE TABLE IF NOT EXISTS versions (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    epoch INTEGER NOT NULL,
    version INTEGER NOT NULL,
    hash TEXT NOT NULL UNIQUE,
    parent TEXT,
    author TEXT NOT NULL,
    at INTEGER NOT NULL,
    changed_by TEXT NOT NULL,
    note TEXT NOT NULL,
    body TEXT NOT NULL,
    bytes BLOB,
    previous TEXT NOT NULL,
    link TEXT NOT NULL
  ) STRICT;
  CREATE INDEX IF NOT EXISTS versions_by_version ON versions (epoch, version);
  CREATE TABLE IF NOT EXISTS joined (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    node TEXT NOT NULL,
    token TEXT NOT NULL,
    at INTEGER NOT NULL,
    UNIQUE (node, token)
  ) STRICT;
  CREATE TABLE IF NOT EXISTS ephemeral (node TEXT PRIMARY KEY, ttl_ms INTEGER NOT NULL) STRICT;
`;

/** The scribe's one SQLite file, mode 0600. A change is on the disk (synchronous=FULL) when its call returns. */
export class ScribeDatabase implements Disposable {
  readonly #sql: DatabaseSync;
  readonly #path: string;

  private constructor(sql: DatabaseSync, path: string) {
    this.#sql = sql;
    this.#path = path;
  }

  /** @throws {ScribeError} SCRIBE_HISTORY */
  static open(path: string): ScribeDatabase {
    let sql: DatabaseSync | undefined;
    try {
      // SQLite gives its -wal and -shm files the mode of the database.
      Deno.openSync(path, { create: true, write: true, mode: 0o600 }).close();
      Deno.chmodSync(path, 0o600);
      sql = new DatabaseSync(path);
      sql.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;");
      sql.exec(`BEGIN IMMEDIATE; ${schema} COMMIT;`);
      return new ScribeDatabase(sql, path);
    } catch (error) {
      sql?.close();
      throw failed(path, error);
    }
  }

  /** All or nothing. @throws what `work` throws; {ScribeError} SCRIBE_HISTORY */
  transaction(work: () => void): void {
    this.#exec("BEGIN IMMEDIATE");
    try {
      work();
      this.#exec("COMMIT");
    } catch (error) {
      // After some errors (disk full) SQLite has rolled back by itself.
      if (this.#sql.isTransaction) this.#sql.exec("ROLLBACK");
      throw error;
    }
  }

  /** @returns how many rows changed @throws {ScribeError} SCRIBE_HISTORY */
  change(statement: string, ...values: SQLInputValue[]): number {
    try {
      return Number(this.#sql.prepare(statement).run(...values).changes);
    } catch (error) {
      throw failed(this.#path, error);
    }
  }

  first(statement: string, ...values: SQLInputValue[]): Row | undefined {
    return this.#sql.prepare(statement).get(...values);
  }

  all(statement: string, ...values: SQLInputValue[]): Row[] {
    return this.#sql.prepare(statement).all(...values);
  }

  each(statement: string, ...values: SQLInputValue[]): Iterable<Row> {
    return this.#sql.prepare(statement).iterate(...values);
  }

  [Symbol.dispose](): void {
    this.#sql.close();
  }

  #exec(statement: string): void {
    try {
      this.#sql.exec(statement);
    } catch (error) {
      throw failed(this.#path, error);
    }
  }
}

/** A TEXT column that is never NULL. */
export function textOf(row: Row, column: string): string {
  return String(row[column] ?? "");
}

/** An INTEGER column that is never NULL. */
export function numberOf(row: Row, column: string): number {
  return Number(row[column] ?? 0);
}

function failed(path: string, cause: unknown): ScribeError {
  return new ScribeError(
    "SCRIBE_HISTORY",
    `the scribe's history ${path} cannot be used: ${
      errorText(cause)
    }. Check the disk and the file's owner, or move the file away: the network config itself is kept elsewhere`,
    { path },
    cause,
  );
}

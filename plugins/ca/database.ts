import { DatabaseSync, type SQLInputValue, type SQLOutputValue } from "node:sqlite";
import { errorText } from "../../core/errors/mod.ts";
import { CaError } from "./errors.ts";

type Row = Readonly<Record<string, SQLOutputValue>>;

const schema = `
  CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
  CREATE TABLE IF NOT EXISTS tokens (
    id TEXT PRIMARY KEY,
    mac_key BLOB NOT NULL,
    roles TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER,
    max_uses INTEGER NOT NULL,
    uses INTEGER NOT NULL DEFAULT 0,
    revoked_at INTEGER,
    master INTEGER NOT NULL DEFAULT 0
  ) STRICT;
  CREATE TABLE IF NOT EXISTS token_uses (
    token_id TEXT NOT NULL REFERENCES tokens (id),
    public_key BLOB NOT NULL,
    serial TEXT NOT NULL REFERENCES issued (serial),
    PRIMARY KEY (token_id, public_key)
  ) STRICT;
  CREATE TABLE IF NOT EXISTS issued (
    serial TEXT PRIMARY KEY,
    node_id TEXT NOT NULL,
    der BLOB NOT NULL,
    kind TEXT NOT NULL,
    token_id TEXT,
    issued_at INTEGER NOT NULL,
    not_after INTEGER NOT NULL
  ) STRICT;
  CREATE INDEX IF NOT EXISTS issued_by_node ON issued (node_id, issued_at);
  CREATE TABLE IF NOT EXISTS nodes (
    node_id TEXT PRIMARY KEY,
    mesh_ipv4 TEXT NOT NULL UNIQUE,
    mesh_ipv6 TEXT NOT NULL,
    roles TEXT NOT NULL,
    held_until INTEGER NOT NULL
  ) STRICT;
  CREATE TABLE IF NOT EXISTS revoked (
    node_id TEXT PRIMARY KEY,
    revoked_at INTEGER NOT NULL,
    reason TEXT NOT NULL
  ) STRICT;
  CREATE TABLE IF NOT EXISTS grants (
    epoch INTEGER PRIMARY KEY,
    scribe TEXT,
    bytes BLOB NOT NULL,
    issued_at INTEGER NOT NULL
  ) STRICT;
  CREATE TABLE IF NOT EXISTS rolls (
    serial INTEGER PRIMARY KEY,
    stage TEXT NOT NULL,
    generation INTEGER NOT NULL,
    bytes BLOB NOT NULL,
    at INTEGER NOT NULL
  ) STRICT;
  CREATE TABLE IF NOT EXISTS old_tokens (token_id TEXT PRIMARY KEY) STRICT;
  CREATE TABLE IF NOT EXISTS config_tokens (
    token_id TEXT PRIMARY KEY REFERENCES tokens (id),
    gone INTEGER NOT NULL DEFAULT 0
  ) STRICT;
  CREATE TABLE IF NOT EXISTS config_revoked (
    node_id TEXT PRIMARY KEY,
    revoked_at INTEGER NOT NULL,
    reason TEXT NOT NULL
  ) STRICT;
  CREATE TABLE IF NOT EXISTS joined_outbox (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    node_id TEXT NOT NULL,
    token_id TEXT NOT NULL,
    joined_at INTEGER NOT NULL
  ) STRICT;
  CREATE TABLE IF NOT EXISTS audit (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    previous TEXT NOT NULL,
    body TEXT NOT NULL,
    hash TEXT NOT NULL
  ) STRICT;
`;

/** Another process (`pulse ca sign` beside the daemon) may hold the write lock this long. */
const busyTimeoutMs = 5000;

/**
 * The CA's one SQLite file: every change is one transaction, on the disk (synchronous=FULL) before anybody is told. Mode 0600,
 * because token keys are in it.
 */
export class CaDatabase implements Disposable {
  readonly #sql: DatabaseSync;
  readonly #path: string;
  #afterCommit: (() => void)[] = [];

  private constructor(sql: DatabaseSync, path: string) {
    this.#sql = sql;
    this.#path = path;
  }

  /** @throws {CaError} CA_LEDGER_UNREADABLE */
  static open(path: string): CaDatabase {
    let sql: DatabaseSync | undefined;
    try {
      // SQLite gives its -wal and -shm files the mode of the database.
      Deno.openSync(path, { create: true, write: true, mode: 0o600 }).close();
      Deno.chmodSync(path, 0o600);
      sql = new DatabaseSync(path);
      sql.exec(`PRAGMA busy_timeout = ${busyTimeoutMs}`);
      sql.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;");
      sql.exec(`BEGIN IMMEDIATE; ${schema} COMMIT;`);
      return new CaDatabase(sql, path);
    } catch (error) {
      sql?.close();
      throw new CaError(
        "CA_LEDGER_UNREADABLE",
        `the CA's ledger ${path} cannot be opened: ${
          errorText(error)
        }. Restore it from a backup, or check the disk and the file's owner`,
        { path },
        error,
      );
    }
  }

  /**
   * Runs `work` as one durable transaction: when this returns, the change is on the disk; when it throws, nothing has changed.
   * `work` is synchronous, so nothing of this process comes between its steps.
   * @throws what `work` throws; {CaError} CA_LEDGER_WRITE the disk is full or failing
   */
  transaction<T>(work: () => T): T {
    this.#run("BEGIN IMMEDIATE");
    this.#afterCommit = [];
    let result: T;
    try {
      result = work();
    } catch (error) {
      this.#rollback();
      throw error;
    }
    try {
      this.#run("COMMIT");
    } catch (error) {
      this.#rollback();
      throw error;
    }
    for (const tell of this.#afterCommit.splice(0)) tell();
    return result;
  }

  /** What to do once the transaction going on is on the disk; nothing, should it fail. */
  afterCommit(tell: () => void): void {
    this.#afterCommit.push(tell);
  }

  /** @throws {CaError} CA_LEDGER_WRITE */
  change(statement: string, ...values: SQLInputValue[]): number {
    try {
      return Number(this.#sql.prepare(statement).run(...values).changes);
    } catch (error) {
      throw this.#failed(error);
    }
  }

  first(statement: string, ...values: SQLInputValue[]): Row | undefined {
    return this.#sql.prepare(statement).get(...values);
  }

  all(statement: string, ...values: SQLInputValue[]): Row[] {
    return this.#sql.prepare(statement).all(...values);
  }

  /** Rows one at a time, for tables of any size. */
  each(statement: string, ...values: SQLInputValue[]): Iterable<Row> {
    return this.#sql.prepare(statement).iterate(...values);
  }

  meta(key: string): string | undefined {
    const row = this.first("SELECT value FROM meta WHERE key = ?", key);
    return row === undefined ? undefined : textOf(row, "value");
  }

  setMeta(key: string, value: string): void {
    this.change(
      "INSERT INTO meta (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value",
      key,
      value,
    );
  }

  [Symbol.dispose](): void {
    this.#sql.close();
  }

  #run(statement: string): void {
    try {
      this.#sql.exec(statement);
    } catch (error) {
      throw this.#failed(error);
    }
  }

  #rollback(): void {
    // After some errors (disk full) SQLite has rolled back by itself.
    if (this.#sql.isTransaction) this.#sql.exec("ROLLBACK");
  }

  #failed(error: unknown): CaError {
    return new CaError(
      "CA_LEDGER_WRITE",
      `the CA's ledger ${this.#path} could not be written: ${errorText(error)}`,
      { path: this.#path },
      error,
    );
  }
}

/** A TEXT column. */
export function textOf(row: Row, column: string): string {
  const value = row[column];
  if (typeof value !== "string") throw wrongType(column);
  return value;
}

/** An INTEGER column that is never NULL. */
export function numberOf(row: Row, column: string): number {
  const value = row[column];
  if (typeof value !== "number") throw wrongType(column);
  return value;
}

export function optionalNumberOf(row: Row, column: string): number | null {
  return row[column] === null ? null : numberOf(row, column);
}

/** A BLOB column. */
export function bytesOf(row: Row, column: string): Uint8Array {
  const value = row[column];
  if (!(value instanceof Uint8Array)) throw wrongType(column);
  return value;
}

function wrongType(column: string): CaError {
  return new CaError("CA_LEDGER_UNREADABLE", `the CA's ledger has a wrong value in "${column}"`);
}

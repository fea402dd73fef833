import type { DatabaseSync, SQLInputValue, StatementSync } from "node:sqlite";
import { basename, dirname, join } from "node:path";
import { createRequire } from "node:module";
import { errorText } from "../errors/mod.ts";
import { numberOf, type Row } from "../storage/columns.ts";
import { HistoryError } from "./errors.ts";
import type { StorageHealth } from "./storage_health.ts";

export interface HistoryDatabaseOptions {
  readonly path: string;
  readonly schema: string;
  /**
   * `FULL`: a transaction is on the disk when it returns. `NORMAL`: a power cut may cost the last seconds, and the disk is not waited
   * for except at a checkpoint.
   */
  readonly synchronous: "NORMAL" | "FULL";
  /** Largest size of the file; the write-ahead log beside it adds some 4 MiB. */
  readonly maxBytes: number;
  readonly health: StorageHealth;
  /** Wall clock, for the name of a file that is moved aside. */
  wall(): number;
  /** Monotonic milliseconds. */
  now(): number;
}

const pageBytes = 4096;
/** After a failed opening, the next one is tried no sooner. */
const retryMs = 5_000;
/** SQLITE_BUSY and SQLITE_FULL leave the connection usable. */
const passingErrors: ReadonlySet<unknown> = new Set([5, 13]);

/** SQLite comes into memory (some 3 MB) with the first node that writes history. */
function loadSqlite(): typeof import("node:sqlite") {
  return createRequire(import.meta.url)("node:sqlite");
}

/**
 * One SQLite file of mode 0600 that may fail: a write that cannot be done is counted and lost, a file that is no database is moved
 * aside and begun anew, and nobody above has to care. Opened by its first use.
 */
export class HistoryDatabase implements Disposable {
  readonly #options: HistoryDatabaseOptions;
  readonly #statements = new Map<string, StatementSync>();
  #sql: DatabaseSync | undefined;
  #retryAt = -Infinity;
  #closed = false;
  #generation = 0;

  constructor(options: HistoryDatabaseOptions) {
    this.#options = options;
  }

  /** Changes whenever the file is opened: what was counted in it has to be counted again. */
  get generation(): number {
    return this.#generation;
  }

  get path(): string {
    return this.#options.path;
  }

  /**
   * One transaction. `work` must bear being run twice: the second time on a new file.
   * @param records what is lost when it fails, for the count
   * @returns false when it failed
   */
  write(records: number, work: (database: HistoryDatabase) => void): boolean {
    const { health } = this.#options;
    for (let attempt = 1;; attempt++) {
      try {
        const sql = this.#open();
        sql.exec("BEGIN IMMEDIATE");
        work(this);
        sql.exec("COMMIT");
        health.succeeded();
        return true;
      } catch (error) {
        const again = this.#recover(error);
        if (again && attempt === 1) continue;
        health.failed(records, errorText(error));
        return false;
      }
    }
  }

  /** @throws {HistoryError} HISTORY_UNAVAILABLE */
  read<T>(work: (database: HistoryDatabase) => T): T {
    for (let attempt = 1;; attempt++) {
      try {
        this.#open();
        return work(this);
      } catch (error) {
        if (this.#recover(error) && attempt === 1) continue;
        throw new HistoryError(
          "HISTORY_UNAVAILABLE",
          `${this.path} cannot be read: ${errorText(error)}`,
          { path: this.path },
          error,
        );
      }
    }
  }

  run(statement: string, ...values: SQLInputValue[]): void {
    this.#prepare(statement).run(...values);
  }

  first(statement: string, ...values: SQLInputValue[]): Row | undefined {
    return this.#prepare(statement).get(...values);
  }

  all(statement: string, ...values: SQLInputValue[]): Row[] {
    return this.#prepare(statement).all(...values);
  }

  /** Rows one at a time, for tables of any size. */
  each(statement: string, ...values: SQLInputValue[]): Iterable<Row> {
    return this.#prepare(statement).iterate(...values);
  }

  /** Bytes of the file that hold something. */
  usedBytes(): number {
    const pages = numberOf(this.first("PRAGMA page_count"), "page_count");
    return (pages - numberOf(this.first("PRAGMA freelist_count"), "freelist_count")) * pageBytes;
  }

  [Symbol.dispose](): void {
    this.#closed = true;
    this.#close();
  }

  #prepare(text: string): StatementSync {
    if (this.#sql === undefined) throw new Error("the database is not open");
    let statement = this.#statements.get(text);
    if (statement === undefined) this.#statements.set(text, statement = this.#sql.prepare(text));
    return statement;
  }

  #open(): DatabaseSync {
    if (this.#sql !== undefined) return this.#sql;
    if (this.#closed) throw new Error("the node is stopping");
    const { path, schema, synchronous, maxBytes, now } = this.#options;
    if (now() < this.#retryAt) throw new Error("it could not be opened a moment ago");
    this.#retryAt = now() + retryMs;
    // SQLite gives its -wal and -shm files the mode of the database.
    Deno.openSync(path, { create: true, write: true, mode: 0o600 }).close();
    Deno.chmodSync(path, 0o600);
    const sql = this.#sql = new (loadSqlite().DatabaseSync)(path);
    sql.exec(`
      PRAGMA busy_timeout = 100;
      PRAGMA journal_mode = WAL;
      PRAGMA journal_size_limit = 4194304;
      PRAGMA synchronous = ${synchronous};
      PRAGMA cache_size = -512;
      PRAGMA max_page_count = ${Math.floor(maxBytes / pageBytes)};
    `);
    sql.exec(`BEGIN IMMEDIATE; ${schema} COMMIT;`);
    this.#retryAt = -Infinity;
    this.#generation++;
    return sql;
  }

  /** Leaves things so that the next attempt can work. @returns whether it is worth one at once */
  #recover(error: unknown): boolean {
    const code = error instanceof Error && "errcode" in error ? error.errcode : undefined;
    try {
      if (this.#sql?.isTransaction) this.#sql.exec("ROLLBACK");
    } catch {
      // A connection that cannot even roll back is closed below, which does it.
      this.#close();
    }
    if (isCorrupt(code, errorText(error))) return this.#moveAside(errorText(error));
    if (!passingErrors.has(code)) this.#close();
    return false;
  }

  #close(): void {
    this.#statements.clear();
    const sql = this.#sql;
    this.#sql = undefined;
    try {
      sql?.close();
    } catch {
      // What could not be written by closing was lost and counted before.
    }
  }

  /** Of files moved aside only the newest is kept: their number must not fill the disk. */
  #moveAside(why: string): boolean {
    const { path, health, wall } = this.#options;
    this.#close();
    try {
      const prefix = `${basename(path)}.corrupt-`;
      for (const { name } of [...Deno.readDirSync(dirname(path))]) {
        if (name.startsWith(prefix)) Deno.removeSync(join(dirname(path), name));
      }
      const stamp = new Date(wall()).toISOString().replaceAll(/[-:]|\.\d+/g, "");
      Deno.renameSync(path, `${path}.corrupt-${stamp}`);
      for (const ending of ["-wal", "-shm"]) removeIfThere(path + ending);
    } catch (error) {
      health.failed(0, `${why}; moving it aside: ${errorText(error)}`);
      return false;
    }
    this.#retryAt = -Infinity;
    health.failed(0, `${why}; moved aside, a new one is begun`);
    return true;
  }
}

/** The binding gives no code with what opening and `exec` fail with, only SQLite's words. */
function isCorrupt(code: unknown, text: string): boolean {
  return code === 11 || code === 26 || /file is not a database|disk image is malformed/.test(text);
}

function removeIfThere(path: string): void {
  try {
    Deno.removeSync(path);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}

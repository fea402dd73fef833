import { DatabaseSync, type SQLInputValue } from "node:sqlite";
import type { PulseError } from "../errors/mod.ts";
import type { Row } from "./columns.ts";

export interface DurableDatabaseOptions {
  readonly path: string;
  /** Run at every opening: `CREATE ... IF NOT EXISTS`. */
  readonly schema: string;
  /** The error to throw when the file cannot be opened, or a change cannot be made. */
  readonly failed: (doing: "open" | "write", cause: unknown) => PulseError;
}

/** Another process may hold the write lock this long. */
const busyTimeoutMs = 5_000;

/**
 * One SQLite file of mode 0600 that a plugin cannot do without: every change is on the disk (`synchronous=FULL`) when its call returns,
 * and one that cannot be made is an error.
 */
export class DurableDatabase implements Disposable {
  readonly #sql: DatabaseSync;
  readonly #failed: DurableDatabaseOptions["failed"];
  #afterCommit: (() => void)[] = [];

  /** Opens the file, or makes it. @throws what `failed` gives for `open` */
  constructor({ path, schema, failed }: DurableDatabaseOptions) {
    this.#failed = failed;
    let sql: DatabaseSync | undefined;
    try {
      // SQLite gives its -wal and -shm files the mode of the database.
      Deno.openSync(path, { create: true, write: true, mode: 0o600 }).close();
      Deno.chmodSync(path, 0o600);
      sql = new DatabaseSync(path);
      sql.exec(`PRAGMA busy_timeout = ${busyTimeoutMs}`);
      sql.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;");
      sql.exec(`BEGIN IMMEDIATE; ${schema} COMMIT;`);
      this.#sql = sql;
    } catch (error) {
      sql?.close();
      throw failed("open", error);
    }
  }

  /**
   * Runs `work` as one transaction: when this returns, the change is on the disk; when it throws, nothing has changed. `work` is
   * synchronous, so nothing of this process comes between its steps.
   * @throws what `work` throws, and what `failed` gives for `write`: the disk is full or failing
   */
  transaction<T>(work: () => T): T {
    this.#run("BEGIN IMMEDIATE");
    this.#afterCommit = [];
    let result: T;
    try {
      result = work();
      this.#run("COMMIT");
    } catch (error) {
      // After some errors (disk full) SQLite has rolled back by itself.
      if (this.#sql.isTransaction) this.#sql.exec("ROLLBACK");
      throw error;
    }
    for (const tell of this.#afterCommit.splice(0)) tell();
    return result;
  }

  /** What to do once the transaction going on is on the disk; nothing, should it fail. */
  afterCommit(tell: () => void): void {
    this.#afterCommit.push(tell);
  }

  /** @returns how many rows changed @throws what `failed` gives for `write` */
  change(statement: string, ...values: SQLInputValue[]): number {
    try {
      return Number(this.#sql.prepare(statement).run(...values).changes);
    } catch (error) {
      throw this.#failed("write", error);
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

  [Symbol.dispose](): void {
    this.#sql.close();
  }

  #run(statement: string): void {
    try {
      this.#sql.exec(statement);
    } catch (error) {
      throw this.#failed("write", error);
    }
  }
}

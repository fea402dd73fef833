import type { NodeId } from "../../core/identity/mod.ts";
import { bytesOf, numberOf } from "../../core/storage/mod.ts";
import type { CaDatabase } from "./database.ts";

/** A grant the CA has signed. */
export interface GrantRecord {
  readonly epoch: number;
  /** Null: the role was taken away. */
  readonly scribe: NodeId | null;
  readonly bytes: Uint8Array;
  /** Wall clock, ms. */
  readonly issuedAt: number;
}

/** Grants by their epoch. Callers put changes into a transaction. */
export class GrantStore {
  readonly #database: CaDatabase;

  constructor(database: CaDatabase) {
    this.#database = database;
  }

  add({ epoch, scribe, bytes, issuedAt }: GrantRecord): void {
    this.#database.change(
      "INSERT INTO grants (epoch, scribe, bytes, issued_at) VALUES (?, ?, ?, ?)",
      epoch,
      scribe,
      bytes,
      issuedAt,
    );
  }

  latest(): GrantRecord | undefined {
    return this.list(1)[0];
  }

  /** Highest epoch first. */
  list(limit: number): GrantRecord[] {
    return this.#database.all("SELECT * FROM grants ORDER BY epoch DESC LIMIT ?", limit)
      .map((row) => ({
        epoch: numberOf(row, "epoch"),
        scribe: row["scribe"] === null ? null : String(row["scribe"]),
        bytes: bytesOf(row, "bytes"),
        issuedAt: numberOf(row, "issued_at"),
      }));
  }
}

import { bytesOf, numberOf, textOf } from "../../core/storage/mod.ts";
import type { CaDatabase } from "./database.ts";

/** The CA's word on a roll of its own. */
export interface RollRecord {
  readonly serial: number;
  readonly stage: "overlap" | "finished";
  /** Number of the CA that takes over; the first one a network has is number 1. */
  readonly generation: number;
  /** Signed by both CAs. */
  readonly bytes: Uint8Array;
  /** Wall clock, ms. */
  readonly at: number;
}

/** Words on rolls by their serial, and which tokens are older than the roll. Callers put changes into a transaction. */
export class RollStore {
  readonly #database: CaDatabase;

  constructor(database: CaDatabase) {
    this.#database = database;
  }

  add({ serial, stage, generation, bytes, at }: RollRecord): void {
    this.#database.change(
      "INSERT INTO rolls (serial, stage, generation, bytes, at) VALUES (?, ?, ?, ?, ?)",
      serial,
      stage,
      generation,
      bytes,
      at,
    );
  }

  latest(): RollRecord | undefined {
    const row = this.#database.first("SELECT * FROM rolls ORDER BY serial DESC LIMIT 1");
    return row === undefined ? undefined : {
      serial: numberOf(row, "serial"),
      stage: textOf(row, "stage") === "overlap" ? "overlap" : "finished",
      generation: numberOf(row, "generation"),
      bytes: bytesOf(row, "bytes"),
      at: numberOf(row, "at"),
    };
  }

  /** Invites with the tokens there are now name the old CA. */
  markTokens(): void {
    this.#database.change("INSERT OR IGNORE INTO old_tokens SELECT id FROM tokens");
  }

  forgetTokens(): void {
    this.#database.change("DELETE FROM old_tokens");
  }

  isOldToken(id: string): boolean {
    return this.#database.first("SELECT 1 FROM old_tokens WHERE token_id = ?", id) !== undefined;
  }
}

import type { NodeId } from "../../core/identity/mod.ts";
import { numberOf, textOf } from "../../core/storage/mod.ts";
import type { CaDatabase } from "./database.ts";

/** A node that joined with a token of the scribe's, which the scribe does not know yet. */
export interface JoinedNotice {
  readonly seq: number;
  readonly node: NodeId;
  readonly token: string;
}

/** Most notices kept; the oldest go first. */
const maxNotices = 10_000;

/** What the CA still has to tell the scribe. A notice is written in the transaction of its join. */
export class JoinedOutbox {
  readonly #database: CaDatabase;

  constructor(database: CaDatabase) {
    this.#database = database;
  }

  /** Call it inside the transaction that makes it true. */
  add(node: NodeId, token: string, now: number): void {
    this.#database.change(
      "INSERT INTO joined_outbox (node_id, token_id, joined_at) VALUES (?, ?, ?)",
      node,
      token,
      now,
    );
    this.#database.change(
      "DELETE FROM joined_outbox WHERE seq <= (SELECT max(seq) FROM joined_outbox) - ?",
      maxNotices,
    );
  }

  /** Oldest first. */
  list(limit: number): JoinedNotice[] {
    return this.#database.all("SELECT * FROM joined_outbox ORDER BY seq LIMIT ?", limit)
      .map((row) => ({
        seq: numberOf(row, "seq"),
        node: textOf(row, "node_id"),
        token: textOf(row, "token_id"),
      }));
  }

  remove(seq: number): void {
    this.#database.change("DELETE FROM joined_outbox WHERE seq = ?", seq);
  }
}

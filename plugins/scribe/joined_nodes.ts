import type { NodeId } from "../../core/identity/types.ts";
import { type DurableDatabase, numberOf, textOf } from "../../core/storage/mod.ts";

/** Most joins remembered; the oldest go first. */
const maxJoined = 100_000;

/** Which node joined with which token, and which of them are to go when they have been away for long. */
export class JoinedNodes {
  readonly #database: DurableDatabase;

  constructor(database: DurableDatabase) {
    this.#database = database;
  }

  /** Whether the token's promises to the node were kept before: they are kept once, not whenever somebody says it joined. */
  has(node: NodeId, token: string): boolean {
    return this.#database.first(
      "SELECT 1 FROM joined WHERE node = ? AND token = ?",
      node,
      token,
    ) !== undefined;
  }

  /** @param ephemeralMs null: the node stays @throws {ScribeError} SCRIBE_HISTORY */
  add(node: NodeId, token: string, ephemeralMs: number | null, now: number): void {
    this.#database.transaction(() => {
      this.#database.change(
        "INSERT OR IGNORE INTO joined (node, token, at) VALUES (?, ?, ?)",
        node,
        token,
        now,
      );
      this.#database.change(
        "DELETE FROM joined WHERE seq <= (SELECT max(seq) FROM joined) - ?",
        maxJoined,
      );
      this.forget(node);
      if (ephemeralMs !== null) {
        this.#database.change(
          "INSERT INTO ephemeral (node, ttl_ms) VALUES (?, ?)",
          node,
          ephemeralMs,
        );
      }
    });
  }

  /** Nodes that go when they have been away for so long, milliseconds. */
  ephemeral(): ReadonlyMap<NodeId, number> {
    return new Map(
      this.#database.all("SELECT node, ttl_ms FROM ephemeral")
        .map((row) => [textOf(row, "node"), numberOf(row, "ttl_ms")]),
    );
  }

  /** The node is no longer ephemeral. */
  forget(node: NodeId): void {
    this.#database.change("DELETE FROM ephemeral WHERE node = ?", node);
  }
}

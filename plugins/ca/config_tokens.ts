import type { TokenEntry } from "../../core/netconfig/mod.ts";
import { numberOf, textOf } from "../../core/storage/mod.ts";
import type { CaDatabase } from "./database.ts";

/** What came of a list of tokens from the network config. */
export interface TokenChanges {
  readonly added: readonly string[];
  readonly gone: readonly string[];
  /** Not sealed to this CA, or a token of the CA's own. */
  readonly skipped: readonly string[];
}

/** Withdrawn because the config does not name it any more; by the CA's operator before that. */
const gone = { here: 0, byConfig: 1, byOperator: 2 } as const;

/**
 * Tokens the scribe has made: the config says what they are good for, the CA alone counts their uses. Callers put changes into a
 * transaction.
 */
export class ConfigTokens {
  readonly #database: CaDatabase;

  constructor(database: CaDatabase) {
    this.#database = database;
  }

  has(id: string): boolean {
    return this.#state(id) !== undefined;
  }

  /** Makes the CA's tokens of this kind those of the list. @param unseal their key, where it can be had */
  replace(
    entries: readonly TokenEntry[],
    unseal: (entry: TokenEntry) => Uint8Array | undefined,
    now: number,
  ): TokenChanges {
    const added: string[] = [];
    const skipped: string[] = [];
    for (const entry of entries) {
      const state = this.#state(entry.id);
      if (state !== undefined) this.#update(entry, state);
      else if (this.#insert(entry, unseal, now)) added.push(entry.id);
      else skipped.push(entry.id);
    }
    const wanted = new Set(entries.map(({ id }) => id));
    const lost = this.#database.all("SELECT token_id FROM config_tokens WHERE gone = ?", gone.here)
      .map((row) => textOf(row, "token_id")).filter((id) => !wanted.has(id));
    for (const id of lost) this.#withdraw(id, now);
    return { added, gone: lost, skipped };
  }

  #state(id: string): number | undefined {
    const row = this.#database.first("SELECT gone FROM config_tokens WHERE token_id = ?", id);
    return row === undefined ? undefined : numberOf(row, "gone");
  }

  #update(entry: TokenEntry, state: number): void {
    this.#database.change(
      "UPDATE tokens SET roles = ?, expires_at = ?, max_uses = ? WHERE id = ?",
      roles(entry),
      entry.expiresAt,
      entry.maxUses,
      entry.id,
    );
    if (state === gone.here) return;
    if (state === gone.byConfig) {
      this.#database.change("UPDATE tokens SET revoked_at = NULL WHERE id = ?", entry.id);
    }
    this.#mark(entry.id, gone.here);
  }

  #insert(
    entry: TokenEntry,
    unseal: (entry: TokenEntry) => Uint8Array | undefined,
    now: number,
  ): boolean {
    if (this.#database.first("SELECT 1 FROM tokens WHERE id = ?", entry.id) !== undefined) {
      return false;
    }
    const key = unseal(entry);
    if (key === undefined) return false;
    this.#database.change(
      `INSERT INTO tokens (id, mac_key, roles, created_at, expires_at, max_uses, master)
         VALUES (?, ?, ?, ?, ?, ?, 0)`,
      entry.id,
      key,
      roles(entry),
      now,
      entry.expiresAt,
      entry.maxUses,
    );
    this.#database.change("INSERT INTO config_tokens (token_id) VALUES (?)", entry.id);
    return true;
  }

  /** One that was never used leaves nothing behind; of another the uses stay known, so that its nodes are told their certificate again. */
  #withdraw(id: string, now: number): void {
    const unused = this.#database.first("SELECT 1 FROM tokens WHERE id = ? AND uses = 0", id);
    if (unused !== undefined) {
      this.#database.change("DELETE FROM config_tokens WHERE token_id = ?", id);
      this.#database.change("DELETE FROM tokens WHERE id = ?", id);
      return;
    }
    const revoked = this.#database.change(
      "UPDATE tokens SET revoked_at = ? WHERE id = ? AND revoked_at IS NULL",
      now,
      id,
    );
    this.#mark(id, revoked === 1 ? gone.byConfig : gone.byOperator);
  }

  #mark(id: string, state: number): void {
    this.#database.change("UPDATE config_tokens SET gone = ? WHERE token_id = ?", state, id);
  }
}

/** A scribe cannot make CAs. */
function roles(entry: TokenEntry): string {
  return entry.roles.filter((role) => role !== "ca").join(" ");
}

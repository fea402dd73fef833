import type { Role } from "../../core/identity/mod.ts";
import { bytesOf, numberOf, optionalNumber, type Row, textOf } from "../../core/storage/mod.ts";
import type { CaDatabase } from "./database.ts";
import { CaError } from "./errors.ts";

export type TokenStatus = "valid" | "expired" | "used" | "revoked";

/** A token as the CA knows it: not the token itself. Times in milliseconds since the epoch. */
export interface TokenRecord {
  /** 16 hex characters. */
  readonly id: string;
  /** Roles a node that joins with it gets. */
  readonly roles: readonly Role[];
  readonly createdAt: number;
  readonly expiresAt: number | null;
  /** 0 = unlimited. */
  readonly maxUses: number;
  readonly uses: number;
  /** The one from the configuration. */
  readonly master: boolean;
  readonly status: TokenStatus;
}

export interface NewToken {
  readonly id: string;
  readonly macKey: Uint8Array;
  readonly roles: readonly Role[];
  readonly expiresAt: number | null;
  readonly maxUses: number;
}

/** Most tokens kept; old ones that are of no more use go first. */
const maxTokens = 10_000;

/** Tokens by their public id. Callers put changes into a transaction. */
export class TokenStore {
  readonly #database: CaDatabase;

  constructor(database: CaDatabase) {
    this.#database = database;
  }

  /** @throws {CaError} TOKEN_EXISTS, TOKEN_LIMIT */
  add(token: NewToken, now: number): TokenRecord {
    if (this.find(token.id, now) !== undefined) {
      throw new CaError("TOKEN_EXISTS", `token ${token.id} exists already`);
    }
    const count = numberOf(this.#database.first("SELECT count(*) AS n FROM tokens")!, "n");
    if (count >= maxTokens) {
      throw new CaError(
        "TOKEN_LIMIT",
        `there are ${count} tokens, the most there can be: use tokens with more uses instead`,
      );
    }
    this.#insert(token, now, false);
    return this.find(token.id, now)!;
  }

  /** Makes `token` the one master token, or leaves none; true when that changed anything. */
  setMaster(token: Pick<NewToken, "id" | "macKey"> | null, now: number): boolean {
    const current = this.#database.first("SELECT id FROM tokens WHERE master = 1");
    if (current?.["id"] === token?.id) return false;
    // Uses of the old one stay known, so that a node which joined with it is still told its own certificate.
    this.#database.change("UPDATE tokens SET master = 0, revoked_at = ? WHERE master = 1", now);
    if (token === null) return true;
    const reused = this.#database.change(
      "UPDATE tokens SET master = 1, revoked_at = NULL, expires_at = NULL, max_uses = 0 WHERE id = ?",
      token.id,
    );
    if (reused === 0) {
      this.#insert({ ...token, roles: [], expiresAt: null, maxUses: 0 }, now, true);
    }
    return true;
  }

  find(id: string, now: number): TokenRecord | undefined {
    const row = this.#database.first("SELECT * FROM tokens WHERE id = ?", id);
    return row === undefined ? undefined : record(row, now);
  }

  macKey(id: string): Uint8Array | undefined {
    const row = this.#database.first("SELECT mac_key FROM tokens WHERE id = ?", id);
    return row === undefined ? undefined : bytesOf(row, "mac_key");
  }

  /** Newest first. */
  list(now: number): TokenRecord[] {
    return this.#database.all("SELECT * FROM tokens ORDER BY created_at DESC, id")
      .map((row) => record(row, now));
  }

  /** Counts one use, unless that was the last one already. */
  consume(id: string, now: number): boolean {
    const changes = this.#database.change(
      `UPDATE tokens SET uses = uses + 1 WHERE id = ? AND revoked_at IS NULL
         AND (max_uses = 0 OR uses < max_uses) AND (expires_at IS NULL OR expires_at > ?)`,
      id,
      now,
    );
    return changes === 1;
  }

  /**
   * The token withdrawn. @param prefix its id or the beginning of it, when no other begins so
   * @throws {CaError} TOKEN_UNKNOWN, TOKEN_AMBIGUOUS, TOKEN_MASTER
   */
  revoke(prefix: string, now: number): TokenRecord {
    const matches = /^[0-9a-f]{1,16}$/.test(prefix)
      ? this.#database.all("SELECT * FROM tokens WHERE id LIKE ? || '%' LIMIT 2", prefix)
      : [];
    const [match, another] = matches;
    if (match === undefined) {
      throw new CaError("TOKEN_UNKNOWN", `no token has an id that begins with "${prefix}"`);
    }
    if (another !== undefined) {
      throw new CaError(
        "TOKEN_AMBIGUOUS",
        `more than one token has an id that begins with "${prefix}": give more of it`,
      );
    }
    const token = record(match, now);
    if (token.master) {
      throw new CaError(
        "TOKEN_MASTER",
        `token ${token.id} is the one in the configuration: change it there and restart`,
      );
    }
    this.#database.change(
      "UPDATE tokens SET revoked_at = ? WHERE id = ? AND revoked_at IS NULL",
      now,
      token.id,
    );
    return this.find(token.id, now)!;
  }

  #insert(token: NewToken, now: number, master: boolean): void {
    this.#database.change(
      `INSERT INTO tokens (id, mac_key, roles, created_at, expires_at, max_uses, master)
         VALUES (?, ?, ?, ?, ?, ?, ?)`,
      token.id,
      token.macKey,
      token.roles.join(" "),
      now,
      token.expiresAt,
      token.maxUses,
      master ? 1 : 0,
    );
  }
}

function record(row: Row, now: number): TokenRecord {
  const expiresAt = optionalNumber(row, "expires_at");
  const maxUses = numberOf(row, "max_uses");
  const uses = numberOf(row, "uses");
  const status = optionalNumber(row, "revoked_at") !== null
    ? "revoked"
    : expiresAt !== null && expiresAt <= now
    ? "expired"
    : maxUses > 0 && uses >= maxUses
    ? "used"
    : "valid";
  return {
    id: textOf(row, "id"),
    roles: rolesOf(row),
    createdAt: numberOf(row, "created_at"),
    expiresAt,
    maxUses,
    uses,
    master: numberOf(row, "master") === 1,
    status,
  };
}

/** The roles column; only the CA writes it. */
export function rolesOf(row: Parameters<typeof textOf>[0]): Role[] {
  return textOf(row, "roles").split(" ").filter((role) => role !== "") as Role[];
}

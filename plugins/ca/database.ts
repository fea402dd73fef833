import { errorText } from "../../core/errors/mod.ts";
import { DurableDatabase, textOf } from "../../core/storage/mod.ts";
import { CaError } from "./errors.ts";

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

/** The CA's one SQLite file. Mode 0600 also because token keys are in it. */
export class CaDatabase extends DurableDatabase {
  /** @throws {CaError} CA_LEDGER_UNREADABLE; CA_LEDGER_WRITE for a change that cannot be made */
  static open(path: string): CaDatabase {
    return new CaDatabase({
      path,
      schema,
      failed: (doing, cause) => doing === "open" ? unreadable(path, cause) : unwritten(path, cause),
    });
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
}

function unreadable(path: string, cause: unknown): CaError {
  return new CaError(
    "CA_LEDGER_UNREADABLE",
    `the CA's ledger ${path} cannot be opened: ${
      errorText(cause)
    }. Restore it from a backup, or check the disk and the file's owner`,
    { path },
    cause,
  );
}

function unwritten(path: string, cause: unknown): CaError {
  return new CaError(
    "CA_LEDGER_WRITE",
    `the CA's ledger ${path} could not be written: ${errorText(cause)}`,
    { path },
    cause,
  );
}

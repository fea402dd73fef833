import { errorText } from "../../core/errors/mod.ts";
import { DurableDatabase } from "../../core/storage/mod.ts";
import { ScribeError } from "./errors.ts";

const schema = `
  CREATE TABLE IF NOT EXISTS versions (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    epoch INTEGER NOT NULL,
    version INTEGER NOT NULL,
    hash TEXT NOT NULL UNIQUE,
    parent TEXT,
    author TEXT NOT NULL,
    at INTEGER NOT NULL,
    changed_by TEXT NOT NULL,
    note TEXT NOT NULL,
    body TEXT NOT NULL,
    bytes BLOB,
    previous TEXT NOT NULL,
    link TEXT NOT NULL
  ) STRICT;
  CREATE INDEX IF NOT EXISTS versions_by_version ON versions (epoch, version);
  CREATE TABLE IF NOT EXISTS joined (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    node TEXT NOT NULL,
    token TEXT NOT NULL,
    at INTEGER NOT NULL,
    UNIQUE (node, token)
  ) STRICT;
  CREATE TABLE IF NOT EXISTS ephemeral (node TEXT PRIMARY KEY, ttl_ms INTEGER NOT NULL) STRICT;
`;

/** The scribe's one SQLite file. @throws {ScribeError} SCRIBE_HISTORY it cannot be opened; of its calls: not be written */
export function openScribeDatabase(path: string): DurableDatabase {
  return new DurableDatabase({ path, schema, failed: (_, cause) => failed(path, cause) });
}

function failed(path: string, cause: unknown): ScribeError {
  return new ScribeError(
    "SCRIBE_HISTORY",
    `the scribe's history ${path} cannot be used: ${
      errorText(cause)
    }. Check the disk and the file's owner, or move the file away: the network config itself is kept elsewhere`,
    { path },
    cause,
  );
}

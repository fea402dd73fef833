import type { ConfigBody } from "../../core/netconfig/types.ts";
import { configText, sha256 } from "./config_text.ts";
import { type DurableDatabase, numberOf, type Row, textOf } from "../../core/storage/mod.ts";
import { ScribeError } from "./errors.ts";
import { type ConfigVersion, versionText } from "./version_text.ts";

/** One version as the history keeps it, without its body. */
export interface HistoryEntry extends ConfigVersion {
  readonly hash: string;
  readonly parent: string | null;
  readonly author: string;
  /** Milliseconds since the epoch. */
  readonly at: number;
  /** Who asked for it: `local`, an API key, the scribe itself; empty when another node published it. */
  readonly by: string;
  readonly note: string;
}

export interface NewVersion extends HistoryEntry {
  readonly body: ConfigBody;
  /** As signed; null for a version another node published. */
  readonly bytes: Uint8Array | null;
}

export interface HistoryVerdict {
  readonly versions: number;
  /** The first version that is not what was written, null when all are. */
  readonly broken: string | null;
}

export interface HistoryLimits {
  readonly versions: number;
  readonly bytes: number;
}

/** Most that is kept; the oldest go first. */
export const historyLimits: HistoryLimits = { versions: 1_000, bytes: 64 * 1024 * 1024 };

/** Link before the first version ever. */
const genesis = "0".repeat(64);
const columns = "epoch, version, hash, parent, author, at, changed_by, note";

/**
 * The versions of the network config that this scribe published or saw. Each row carries a hash over the row before it and its own
 * content, so that a version somebody changed on the disk is noticed before anybody goes back to it.
 */
export class VersionHistory {
  readonly #database: DurableDatabase;
  readonly #limits: HistoryLimits;

  constructor(database: DurableDatabase, limits: HistoryLimits = historyLimits) {
    this.#database = database;
    this.#limits = limits;
  }

  /** Adds a version unless it is there. @throws {ScribeError} SCRIBE_HISTORY */
  record(entry: NewVersion): void {
    if (this.#has(entry.hash)) return;
    const body = configText(entry.body);
    this.#database.transaction(() => {
      const last = this.#database.first("SELECT link FROM versions ORDER BY seq DESC LIMIT 1");
      const previous = last === undefined ? genesis : textOf(last, "link");
      this.#database.change(
        `INSERT INTO versions (${columns}, body, bytes, previous, link)
           VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
        entry.epoch,
        entry.version,
        entry.hash,
        entry.parent,
        entry.author,
        entry.at,
        entry.by,
        entry.note,
        body,
        entry.bytes,
        previous,
        linkOf(previous, entry, body, entry.bytes),
      );
      this.#trim();
    });
  }

  /** Newest first. @param before only versions recorded before this one */
  list(limit: number, before?: ConfigVersion): HistoryEntry[] {
    const bound = before === undefined
      ? Number.MAX_SAFE_INTEGER
      : numberOf(this.#row(before, "seq"), "seq");
    return this.#database.all(
      `SELECT ${columns} FROM versions WHERE seq < ? ORDER BY seq DESC LIMIT ?`,
      bound,
      limit,
    ).map(entryOf);
  }

  /** @throws {ScribeError} CONFIG_VERSION_UNKNOWN */
  body(version: ConfigVersion): ConfigBody {
    return JSON.parse(textOf(this.#row(version, "body"), "body"));
  }

  /** Walks everything that is kept. */
  verify(): HistoryVerdict {
    let versions = 0;
    let previous: string | undefined;
    for (const row of this.#database.each("SELECT * FROM versions ORDER BY seq")) {
      const entry = entryOf(row);
      const bytes = row["bytes"] instanceof Uint8Array ? row["bytes"] : null;
      const follows = previous === undefined || textOf(row, "previous") === previous;
      const link = linkOf(textOf(row, "previous"), entry, textOf(row, "body"), bytes);
      if (!follows || link !== textOf(row, "link")) {
        return { versions, broken: versionText(entry) };
      }
      previous = link;
      versions++;
    }
    return { versions, broken: null };
  }

  #has(hash: string): boolean {
    return this.#database.first("SELECT 1 FROM versions WHERE hash = ?", hash) !== undefined;
  }

  #row({ epoch, version }: ConfigVersion, column: "seq" | "body"): Row {
    // Two scribes may have made the same number; the one recorded last is the one that held.
    const row = this.#database.first(
      `SELECT ${column} FROM versions WHERE epoch = ? AND version = ? ORDER BY seq DESC LIMIT 1`,
      epoch,
      version,
    );
    if (row !== undefined) return row;
    throw new ScribeError(
      "CONFIG_VERSION_UNKNOWN",
      `the scribe keeps no version ${
        versionText({ epoch, version })
      }; pulse config history shows those it has`,
      { epoch, version },
    );
  }

  #trim(): void {
    this.#database.change(
      `DELETE FROM versions WHERE seq <= (
         SELECT seq FROM (
           SELECT seq,
             row_number() OVER (ORDER BY seq DESC) AS n,
             sum(length(body) + coalesce(length(bytes), 0)) OVER (ORDER BY seq DESC) AS size
           FROM versions
         ) WHERE n > ? OR (size > ? AND n > 1) ORDER BY seq DESC LIMIT 1
       )`,
      this.#limits.versions,
      this.#limits.bytes,
    );
  }
}

function entryOf(row: Row): HistoryEntry {
  return {
    epoch: numberOf(row, "epoch"),
    version: numberOf(row, "version"),
    hash: textOf(row, "hash"),
    parent: row["parent"] === null ? null : textOf(row, "parent"),
    author: textOf(row, "author"),
    at: numberOf(row, "at"),
    by: textOf(row, "changed_by"),
    note: textOf(row, "note"),
  };
}

function linkOf(
  previous: string,
  entry: HistoryEntry,
  body: string,
  bytes: Uint8Array | null,
): string {
  const { epoch, version, hash, parent, author, at, by, note } = entry;
  // The hash is that of the document, the bytes are all that was signed and sent.
  const signed = bytes === null ? null : sha256(bytes);
  const content = [epoch, version, hash, parent, author, at, by, note, sha256(body), signed];
  return sha256(JSON.stringify([previous, ...content]));
}

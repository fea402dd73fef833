import { numberOf, optionalNumber, optionalText, type Row, textOf } from "../storage/columns.ts";
import type { HistoryDatabase } from "./database.ts";
import {
  type Bucket,
  bucketStart,
  CounterDeltas,
  mergeBuckets,
  type PeerSample,
  resolutionFor,
  type Tier,
  tiers,
} from "./rollup.ts";
import type { PeerSeries, StatPoint, StatsAnswer, StatsQuery } from "./types.ts";

/** Peers in one sample; the caller puts first those that matter most. */
export const maxSampledPeers = 256;

/** Rows kept in each tier, whatever their age. */
export const maxRowsPerTier: Readonly<Record<Tier["resolution"], number>> = {
  "10s": 150_000,
  "5m": 125_000,
  "1h": 125_000,
};

export interface StatsStoreOptions {
  readonly database: HistoryDatabase;
  /** Whose statistics these are. */
  readonly self: string;
  readonly maxRows?: Readonly<Record<Tier["resolution"], number>>;
  wall(): number;
  /** Wall-clock time that decides what is too old. */
  steady(): number;
}

/** Rows of a moment lie together: a sample writes a page or two, and what is too old goes in one piece. */
export const statsSchema = `
  CREATE TABLE IF NOT EXISTS labels (id INTEGER PRIMARY KEY, text TEXT NOT NULL UNIQUE) STRICT;
  CREATE TABLE IF NOT EXISTS stats (
    seconds INTEGER NOT NULL,
    start INTEGER NOT NULL,
    peer INTEGER NOT NULL,
    samples INTEGER NOT NULL,
    measured INTEGER NOT NULL,
    latency REAL,
    worst REAL,
    loss REAL NOT NULL,
    bytes_in INTEGER NOT NULL,
    bytes_out INTEGER NOT NULL,
    path INTEGER NOT NULL,
    PRIMARY KEY (seconds, start, peer)
  ) STRICT, WITHOUT ROWID;
`;

/** What is too old is looked for once in so many samples: every five minutes. */
const samplesPerPrune = 30;
/** Names of peers and paths are cleared of those no row uses when there are more. */
const maxLabels = 4_096;

/** What this node measured of every peer, in three resolutions. */
export class StatsStore {
  readonly #options: StatsStoreOptions;
  readonly #deltas = new CounterDeltas();
  readonly #labels = new Map<string, number>();
  #generation = -1;
  #samples = 0;

  constructor(options: StatsStoreOptions) {
    this.#options = options;
  }

  /** One sample of all peers. Samples of the same bucket add up, so a clock set back overwrites nothing. */
  record(samples: readonly PeerSample[]): void {
    const buckets = this.#deltas.next(samples.slice(0, maxSampledPeers));
    const wall = this.#options.wall();
    const prune = ++this.#samples % samplesPerPrune === 0;
    if (buckets.size === 0 && !prune) return;
    const written = this.#options.database.write(buckets.size, (database) => {
      if (this.#generation !== database.generation) {
        this.#labels.clear();
        this.#generation = database.generation;
      }
      for (const tier of tiers) {
        const start = bucketStart(wall, tier.seconds);
        for (const [peer, bucket] of buckets) {
          this.#add(database, tier.seconds, start, peer, bucket);
        }
      }
      if (prune) this.#prune(database);
    });
    // A transaction that was rolled back has taken its labels with it.
    if (!written) this.#labels.clear();
  }

  /** @throws {HistoryError} HISTORY_UNAVAILABLE */
  query(query: StatsQuery): StatsAnswer {
    const { database, self, wall } = this.#options;
    const resolution = query.resolution ?? resolutionFor(query.since, wall());
    const tier = tiers.find((entry) => entry.resolution === resolution) ?? tiers[0]!;
    const rows = database.read(() =>
      database.all(
        `SELECT stats.*, who.text AS peer_text, way.text AS path_text FROM stats
         JOIN labels AS who ON who.id = stats.peer JOIN labels AS way ON way.id = stats.path
         WHERE seconds = ? AND start >= ? AND (? IS NULL OR who.text = ?)
         ORDER BY start DESC, peer LIMIT ?`,
        tier.seconds,
        bucketStart(query.since, tier.seconds),
        query.peer ?? null,
        query.peer ?? null,
        query.limit + 1,
      )
    );
    return {
      node: self,
      resolution,
      series: seriesOf(rows.slice(0, query.limit)),
      truncated: rows.length > query.limit,
    };
  }

  #add(
    database: HistoryDatabase,
    seconds: number,
    start: number,
    peer: string,
    bucket: Bucket,
  ): void {
    const id = this.#label(database, peer);
    const before = database.first(
      `SELECT stats.*, labels.text AS path_text FROM stats JOIN labels ON labels.id = stats.path
       WHERE seconds = ? AND start = ? AND peer = ?`,
      seconds,
      start,
      id,
    );
    const sum = before === undefined ? bucket : mergeBuckets(bucketOf(before), bucket);
    database.run(
      "INSERT OR REPLACE INTO stats VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
      seconds,
      start,
      id,
      sum.samples,
      sum.measured,
      sum.measured === 0 ? null : sum.latencyMs,
      sum.measured === 0 ? null : sum.worstLatencyMs,
      sum.loss,
      Math.round(sum.bytesIn),
      Math.round(sum.bytesOut),
      this.#label(database, sum.path),
    );
  }

  #label(database: HistoryDatabase, text: string): number {
    const known = this.#labels.get(text);
    if (known !== undefined) return known;
    database.run("INSERT OR IGNORE INTO labels (text) VALUES (?)", text);
    const id = numberOf(database.first("SELECT id FROM labels WHERE text = ?", text), "id");
    if (this.#labels.size >= maxLabels) this.#labels.clear();
    this.#labels.set(text, id);
    return id;
  }

  #prune(database: HistoryDatabase): void {
    const now = this.#options.steady() / 1000;
    const maxRows = this.#options.maxRows ?? maxRowsPerTier;
    for (const { seconds, keepSeconds, resolution } of tiers) {
      database.run("DELETE FROM stats WHERE seconds = ? AND start < ?", seconds, now - keepSeconds);
      const beyond = database.first(
        "SELECT start FROM stats WHERE seconds = ? ORDER BY start DESC LIMIT 1 OFFSET ?",
        seconds,
        maxRows[resolution],
      );
      if (beyond !== undefined) {
        database.run(
          "DELETE FROM stats WHERE seconds = ? AND start <= ?",
          seconds,
          numberOf(beyond, "start"),
        );
      }
    }
    if (numberOf(database.first("SELECT COUNT(*) AS n FROM labels"), "n") > maxLabels) {
      this.#labels.clear();
      database.run(
        "DELETE FROM labels WHERE id NOT IN (SELECT peer FROM stats UNION SELECT path FROM stats)",
      );
    }
  }
}

function bucketOf(row: Row): Bucket {
  return {
    samples: numberOf(row, "samples"),
    measured: numberOf(row, "measured"),
    latencyMs: optionalNumber(row, "latency") ?? 0,
    worstLatencyMs: optionalNumber(row, "worst") ?? 0,
    loss: numberOf(row, "loss"),
    bytesIn: numberOf(row, "bytes_in"),
    bytesOut: numberOf(row, "bytes_out"),
    path: optionalText(row, "path_text") ?? "-",
  };
}

/** Rows come newest first. */
function seriesOf(rows: readonly Row[]): PeerSeries[] {
  const series = new Map<string, StatPoint[]>();
  for (const row of rows) {
    const peer = textOf(row, "peer_text");
    const { measured, latencyMs, worstLatencyMs, loss, ...rest } = bucketOf(row);
    const point: StatPoint = {
      at: new Date(numberOf(row, "start") * 1000).toISOString(),
      latencyMs: measured === 0 ? null : round(latencyMs, 1_000),
      worstLatencyMs: measured === 0 ? null : round(worstLatencyMs, 1_000),
      loss: round(loss, 10_000),
      ...rest,
    };
    const points = series.get(peer);
    if (points === undefined) series.set(peer, [point]);
    else points.push(point);
  }
  return [...series].sort(([a], [b]) => a < b ? -1 : 1)
    .map(([peer, points]) => ({ peer, points: points.reverse() }));
}

/** To as many digits as were measured: the noise of adding up is nobody's business. */
function round(value: number, parts: number): number {
  return Math.round(value * parts) / parts;
}

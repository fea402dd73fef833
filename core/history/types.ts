import type { Json } from "../plugin/types.ts";

/** Something that happened at this node. */
export interface HistoryEvent {
  /** Grows by one with each event of this node, also across restarts. */
  readonly id: number;
  /** RFC 3339, by this node's clock. */
  readonly ts: string;
  /** `link_up`, `cert_renew`, ... as listed in docs/history.md. */
  readonly type: string;
  /** The node it is about; null when it is about none. */
  readonly node: string | null;
  readonly detail: string | null;
  /** What went wrong, in words; null when nothing did. */
  readonly error: string | null;
  /** Whatever else is known, without secrets. */
  readonly fields: { readonly [key: string]: Json };
}

/** What is told of an event: `node`, `detail` and `error` have columns of their own. */
export interface EventFields {
  readonly [key: string]: Json | undefined;
}

export interface EventFilter {
  readonly type?: string | undefined;
  readonly node?: string | undefined;
  /** Milliseconds since the epoch, inclusive. */
  readonly since?: number | undefined;
  /** Exclusive. */
  readonly until?: number | undefined;
}

export interface EventQuery extends EventFilter {
  readonly limit: number;
  /** Only events before this id. */
  readonly before?: number | undefined;
}

/** Newest first. */
export interface EventPage {
  readonly events: readonly HistoryEvent[];
  /** Where the next page begins; null at the end. */
  readonly next: string | null;
}

/** What a follower gets: an event, or how many it missed by being slow and the number of the last of them. */
export type FollowItem =
  | { readonly kind: "event"; readonly event: HistoryEvent }
  | { readonly kind: "lost"; readonly count: number; readonly last: number };

export interface FollowOptions extends Pick<EventFilter, "type" | "node"> {
  /** Begin behind this event, as far as it is still kept; without it, with what happens from now on. */
  readonly after?: number | undefined;
  /** Ends it. */
  readonly signal: AbortSignal;
}

/** How fine a series is. */
export type Resolution = "10s" | "5m" | "1h";

/** One bucket of a peer's series. */
export interface StatPoint {
  /** Beginning of the bucket, RFC 3339. */
  readonly at: string;
  /** Samples in it; fewer than usual where the node was not running. */
  readonly samples: number;
  /** Mean over the samples that have one; null when none has. */
  readonly latencyMs: number | null;
  readonly worstLatencyMs: number | null;
  /** 0..1, mean over all samples. */
  readonly loss: number;
  readonly bytesIn: number;
  readonly bytesOut: number;
  /** The link's kind, `via <node>` for a relayed path, `-` when there was none. Of the latest sample. */
  readonly path: string;
}

export interface PeerSeries {
  readonly peer: string;
  /** Oldest first. */
  readonly points: readonly StatPoint[];
}

export interface StatsQuery {
  /** Only what is known about this peer. */
  readonly peer?: string | undefined;
  /** Milliseconds since the epoch. */
  readonly since: number;
  /** The finest that reaches back to `since` when not given. */
  readonly resolution?: Resolution | undefined;
  /** Points over all peers; the oldest are left out beyond it. */
  readonly limit: number;
}

export interface StatsAnswer {
  /** Whose series these are. */
  readonly node: string;
  readonly resolution: Resolution;
  readonly series: readonly PeerSeries[];
  /** True when older points were left out for the limit. */
  readonly truncated: boolean;
}

/** What an audit entry says besides its type and time; never a secret. */
export interface AuditFields {
  readonly [key: string]: Json | undefined;
}

export interface AuditEntry {
  readonly seq: number;
  /** RFC 3339. */
  readonly at: string;
  readonly type: string;
  readonly fields: { readonly [key: string]: Json };
  /** SHA-256 over the previous entry's hash and this entry's body, lower-case hex. */
  readonly hash: string;
}

/** Newest first. */
export interface AuditPage {
  readonly entries: readonly AuditEntry[];
  readonly next: string | null;
}

/** Result of walking the chain. */
export interface AuditVerdict {
  /** Entries that hold. */
  readonly entries: number;
  /** Number of the first entry kept; those before have been dropped for their age. */
  readonly first: number;
  /** Number of the first entry that does not fit; null when all do. */
  readonly brokenAt: number | null;
  readonly reason: string | null;
  /** Hash of the newest entry: keep a copy elsewhere to notice a log that was rewritten as a whole. */
  readonly head: string;
}

/** What the control API needs of the history. */
export interface HistoryControl {
  /** @throws {HistoryError} HISTORY_UNAVAILABLE */
  events(query: EventQuery): EventPage;
  /** @throws {HistoryError} HISTORY_FOLLOWERS_UNAVAILABLE too many already */
  follow(options: FollowOptions): AsyncIterable<FollowItem>;
  /**
   * Of this node, or of the one named, asked over the mesh.
   * @throws {PulseError} HISTORY_UNAVAILABLE, HISTORY_DENIED, NODE_UNKNOWN, and what a stream can end with
   */
  stats(query: StatsQuery & { readonly node?: string | undefined }): Promise<StatsAnswer>;
  /** @throws {HistoryError} HISTORY_UNAVAILABLE */
  audit(query: { readonly limit: number; readonly before?: number | undefined }): AuditPage;
  /** @throws {HistoryError} HISTORY_UNAVAILABLE */
  verifyAudit(): Promise<AuditVerdict>;
  /** Writes it down durably; a log that cannot be written is reported, and is no reason to refuse what was asked. */
  recordAudit(type: string, fields: AuditFields): Promise<void>;
}

/** Fixed by the wire format: two nodes that disagree on these do not understand each other. */

/** Sequences are 48-bit on the wire: at two publications a second that is 4.4 million years. */
export const maxSequence = 2 ** 48 - 1;
/** Largest step another node's sequence may take while we hold a record; beyond it the held record has to be pruned first. */
export const maxSequenceStep = 2 ** 32;
export const maxHops = 16;
/** Fits a report that is at every one of its own limits. */
export const maxContentBytes = 13_440;
export const maxCertificateBytes = 2_816;
/** Head, content and certificate together. */
export const maxRecordBytes = 16_384;
export const maxMessageBytes = 1_048_576;

export const reportLimits = {
  addresses: 8,
  versionLength: 64,
  capabilities: 16,
  capabilityLength: 32,
  services: 32,
  serviceNameLength: 63,
  exitCidrs: 32,
  links: 256,
  /** A minute; nothing slower is a link. */
  latencyMs: 60_000,
} as const;

/** What one node is willing to hold and to do; every bound and every time of the engine. */
export interface GossipLimits {
  /** Records held. Beyond it unknown nodes are refused and counted, known ones are still updated; a linked peer is always let in. */
  readonly maxRecords: number;
  /** Pruned records remembered, so that a replay of them is not news; the oldest is forgotten beyond it. */
  readonly maxTombstones: number;
  readonly tombstoneMs: number;
  /** Verified certificates kept without a record that uses them. */
  readonly maxSpareCertificates: number;
  /** A message is closed when it has reached this size. */
  readonly batchBytes: number;
  /** Unacknowledged bytes per link; the rest waits. */
  readonly windowBytes: number;
  /** A change goes out after this many milliseconds (lowest, highest) ... */
  readonly promptMs: readonly [number, number];
  /** ... unless changes went over the same link less than this ago. Own changes are published no closer together. */
  readonly debounceMs: number;
  /** Refreshes wait this long for company. */
  readonly slowMs: readonly [number, number];
  /** How long an acknowledgement waits for something to ride on. */
  readonly promptAckMs: number;
  readonly slowAckMs: number;
  /** First resend of an unacknowledged change; doubles up to `roundMs`. */
  readonly resendMs: number;
  /** Resend of everything unacknowledged. */
  readonly roundMs: number;
  readonly digestMs: number;
  /** Own record without news. Two to three of these have to fit into `pruneMs`. */
  readonly refreshMs: readonly [number, number];
  readonly pruneMs: number;
  readonly sweepMs: number;
  /** Signature verifications one link may cost: tokens at once and per second. A certificate costs two more. */
  readonly verifyBurst: number;
  readonly verifyPerSecond: number;
  /** New sequences taken from one author: at once and per second. Beyond it the neighbour is told to come back. */
  readonly authorBurst: number;
  readonly authorPerSecond: number;
  /** Own publications: below what others take. */
  readonly publishBurst: number;
  readonly publishPerSecond: number;
  /** Digests one link may make us answer. */
  readonly digestBurst: number;
  readonly digestPerSecond: number;
  /** Records one link may make us send besides what it is sent anyway: by wants, offers and old records. */
  readonly wantBurst: number;
  readonly wantPerSecond: number;
  /** Wanted from one neighbour: another one is not asked for the same record before this. */
  readonly wantMs: number;
}

export const defaultGossipLimits: GossipLimits = {
  maxRecords: 20_000,
  maxTombstones: 4_096,
  tombstoneMs: 3_600_000,
  maxSpareCertificates: 256,
  batchBytes: 65_536,
  windowBytes: 1_048_576,
  promptMs: [20, 50],
  debounceMs: 500,
  slowMs: [3_000, 5_000],
  promptAckMs: 100,
  slowAckMs: 4_000,
  resendMs: 1_500,
  roundMs: 10_000,
  digestMs: 60_000,
  refreshMs: [100_000, 120_000],
  pruneMs: 300_000,
  sweepMs: 15_000,
  verifyBurst: 8_192,
  verifyPerSecond: 1_024,
  authorBurst: 20,
  authorPerSecond: 0.5,
  publishBurst: 10,
  publishPerSecond: 0.4,
  digestBurst: 4,
  digestPerSecond: 0.2,
  wantBurst: 25_000,
  wantPerSecond: 64,
  wantMs: 3_000,
};

import { defaultSessionLimits, type SessionLimits } from "../types.ts";

/** Everything a peer can make one yamux session hold. */
export interface YamuxLimits extends
  Pick<
    SessionLimits,
    "maxIncomingStreams" | "keepAliveMs" | "idleTimeoutMs" | "maxStreamWindow"
  > {
  /** @default 33554432 bytes all windows of a session together may grow beyond 256 KiB per stream */
  readonly sessionWindowGrowth: number;
  /** @default 67108864 unread bytes in a session; the stream that exceeds it is reset */
  readonly maxSessionBuffer: number;
  /** @default 256 own streams the peer has not acknowledged; more would be reset by hashicorp/yamux */
  readonly maxUnacknowledged: number;
  /** @default 64 answers to pings that wait to be sent; further pings go unanswered */
  readonly maxPingAnswers: number;
  /** @default 4096 resets that wait to be sent because the peer does not read; beyond that the session ends */
  readonly maxPendingResets: number;
  /** @default 263168 bytes given to the pipe at once: 256 KiB of data and its headers */
  readonly maxBatch: number;
  /** @default 30000 ms for one batch to leave; a peer that reads nothing for that long is dead */
  readonly writeTimeoutMs: number;
}

export const defaultYamuxLimits: YamuxLimits = {
  maxIncomingStreams: defaultSessionLimits.maxIncomingStreams,
  keepAliveMs: defaultSessionLimits.keepAliveMs,
  idleTimeoutMs: defaultSessionLimits.idleTimeoutMs,
  maxStreamWindow: defaultSessionLimits.maxStreamWindow,
  sessionWindowGrowth: 32 * 1024 * 1024,
  maxSessionBuffer: 64 * 1024 * 1024,
  maxUnacknowledged: 256,
  maxPingAnswers: 64,
  maxPendingResets: 4096,
  maxBatch: 257 * 1024,
  writeTimeoutMs: 30_000,
};

/**
 * Codes of resets this implementation decides on. A reset travels as a window update with the RST flag, whose length
 * field means nothing to hashicorp/yamux; ours puts the code there, theirs puts 0.
 */
export const streamResetCodes = { none: 0, overLimit: 8 } as const;

export interface YamuxStats {
  bytesIn: number;
  bytesOut: number;
  streamsOpened: number;
  streamsAccepted: number;
  /** Streams reset because of a limit. */
  streamsRefused: number;
  /** Pings not answered because too many came at once. */
  pingsIgnored: number;
  /** Frames for streams that had ended already. */
  strayFrames: number;
}

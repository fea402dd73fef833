import type { Credentials, NodeCertificate, NodeId } from "../identity/types.ts";

/**
 * A reliable, ordered, bidirectional byte stream with half-close. Pull-based, so back-pressure needs no further words:
 * what nobody reads is not granted to the sender.
 */
export interface ByteStream extends AsyncDisposable {
  /**
   * The next bytes, or `null` once the peer has closed its writing side. The chunk is never empty. It is valid only until
   * the next `read()`: implementations reuse their buffer. One read at a time.
   * @throws {StreamResetError} the peer or the session ended the stream abruptly
   */
  read(): Promise<Uint8Array | null>;
  /**
   * Resolves when the stream can take more; the chunk must not change before that. One write at a time.
   * @throws {StreamResetError}
   */
  write(chunk: Uint8Array): Promise<void>;
  /** Half-close: the peer's `read()` gives `null` after everything written. Reading goes on. Idempotent. */
  closeWrite(): Promise<void>;
  /** Abrupt end of both directions; pending calls reject on both ends. Idempotent; no effect after a clean end. */
  reset(code?: number): void;
  /** Resolves (never rejects) when both directions have ended, cleanly or not. */
  readonly closed: Promise<void>;
}

/** `direct_quic`: a QUIC session made by hole punching; shown to users, otherwise the same as `quic`. */
export type SessionKind = "quic" | "direct_quic" | "websocket";

export interface SessionStats {
  readonly bytesIn: number;
  readonly bytesOut: number;
  readonly streamsOpened: number;
  readonly streamsAccepted: number;
  readonly datagramsIn: number;
  readonly datagramsOut: number;
  /** Datagrams given up because a queue was full or they were too large. */
  readonly datagramsDropped: number;
}

/** Why a session ended. `code` is stable; see `SessionCloseCode`. */
export interface SessionCloseInfo {
  readonly code: number;
  readonly reason: string;
  /** True when the other end said so, false when this end decided (idle time-out included). */
  readonly remote: boolean;
}

export const SessionCloseCode = {
  normal: 0,
  /** Another session to the same peer took over; streams were drained first. */
  replaced: 1,
  protocolError: 2,
  unauthenticated: 3,
  wrongNetwork: 4,
  revoked: 5,
  incompatible: 6,
  idleTimeout: 7,
  overLimit: 8,
  shuttingDown: 9,
  self: 10,
} as const;

/** A mutually authenticated connection to one peer. Nobody above this interface knows the transport. */
export interface Session extends AsyncDisposable {
  readonly kind: SessionKind;
  /** Which end of the link handshake this side was. */
  readonly role: "dialler" | "acceptor";
  /** The peer's validated certificate. */
  readonly peer: NodeCertificate;
  /** `ip:port` as seen from here now (QUIC follows a NAT rebind). */
  readonly remoteAddress: string;
  /**
   * @throws {SessionClosedError}
   * @throws {StreamLimitError} the peer's stream limit stayed exhausted until `signal` aborted
   */
  openStream(options?: { signal?: AbortSignal }): Promise<ByteStream>;
  /** The next stream the peer opened; `null` once the session is closed. One call at a time. */
  acceptStream(): Promise<ByteStream | null>;
  /** Unreliable, unordered, message-framed. False: dropped here (too large, queue full, closed). Copies before it returns. */
  sendDatagram(payload: Uint8Array): boolean;
  /** The next datagram, `null` once closed. At most 256 wait; the oldest is dropped beyond that. */
  receiveDatagram(): Promise<Uint8Array | null>;
  /** Largest payload `sendDatagram` takes now; may grow after path MTU discovery. */
  readonly maxDatagramSize: number;
  close(code?: number, reason?: string): Promise<void>;
  /** Resolves (never rejects) when the session is over. */
  readonly closed: Promise<SessionCloseInfo>;
  readonly stats: SessionStats;
}

/** Where and whom to dial. Without `expect` the transport learns the id first and then redials it by name. */
export interface DialTarget {
  /** IP literal or DNS name. */
  readonly host: string;
  readonly port: number;
  readonly expect?: NodeId;
}

/** What the link handshake asks its owner before it accepts anybody; throw a `LinkRefusedError` to refuse with a reason. */
export interface LinkPolicy {
  readonly network: string;
  /** Current credentials: read anew for each handshake, so a renewal needs no restart. */
  credentials(): Credentials;
  /** Last word after the certificate was validated: revocation, self-dial, limits. */
  admit(peer: NodeCertificate): void;
  /** Wall clock, milliseconds. */
  now(): number;
}

export interface SessionListener extends AsyncDisposable {
  /** Address really bound, `ip:port`. */
  readonly address: { readonly host: string; readonly port: number };
  /** The next authenticated session; `null` once closed. */
  accept(): Promise<Session | null>;
}

/** One way of carrying sessions. */
export interface Transport extends AsyncDisposable {
  readonly name: "quic" | "websocket";
  dial(target: DialTarget, options: { signal: AbortSignal }): Promise<Session>;
}

/** Limits on what a peer or a stranger can make us hold. Every one is enforced by each transport. */
export interface SessionLimits {
  /** @default 1024 streams opened by the peer and not yet ended */
  readonly maxIncomingStreams: number;
  /** @default 64 connections that have not proven who they are */
  readonly maxUnauthenticated: number;
  /** @default 5000 ms from first packet to the end of the link handshake */
  readonly handshakeTimeoutMs: number;
  /** @default 2000 ms between keepalives */
  readonly keepAliveMs: number;
  /**
   * Without a sign of life for this long the session ends. QUIC starts its count anew with the first packet it sends into the
   * silence (RFC 9000, 10.1), so a dead peer is seen at the latest after this and `keepAliveMs`: within 10 s.
   * @default 7000 ms
   */
  readonly idleTimeoutMs: number;
  /** @default 4194304 bytes of yamux window at most per stream */
  readonly maxStreamWindow: number;
}

export const defaultSessionLimits: SessionLimits = {
  maxIncomingStreams: 1024,
  maxUnauthenticated: 64,
  handshakeTimeoutMs: 5_000,
  keepAliveMs: 2_000,
  idleTimeoutMs: 7_000,
  maxStreamWindow: 4 * 1024 * 1024,
};

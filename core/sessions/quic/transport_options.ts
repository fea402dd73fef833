import type { SessionLimits } from "../types.ts";

/**
 * `throughput` (Cubic) is fastest on clean paths; `low-latency` (BBR) keeps its pace where packets are lost.
 */
export type QuicCongestion = "default" | "throughput" | "low-latency";

/** Version of what QUIC carries, as ALPN. */
export const quicAlpn = "pulse/1";

/**
 * How many streams a peer is told it may open: what QUIC's credit always leaves room for. quinn renews credit only once more than an
 * eighth of it is used up, so this is seven eighths of the limit that QUIC enforces.
 */
export function promisedStreams(limits: SessionLimits): number {
  return limits.maxIncomingStreams - ((limits.maxIncomingStreams + 1) >> 3);
}

export function transportOptions(
  limits: SessionLimits,
  congestionControl: QuicCongestion,
  role: "dialler" | "acceptor",
): Deno.QuicTransportOptions & { alpnProtocols: string[] } {
  return {
    alpnProtocols: [quicAlpn],
    keepAliveInterval: limits.keepAliveMs,
    maxIdleTimeout: limits.idleTimeoutMs,
    // The dialler's first stream is the link handshake's and stays open beside those the limit is about.
    maxConcurrentBidirectionalStreams: limits.maxIncomingStreams + (role === "acceptor" ? 1 : 0),
    maxConcurrentUnidirectionalStreams: 0,
    congestionControl,
  };
}

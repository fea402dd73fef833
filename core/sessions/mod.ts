/** Mutually authenticated connections between nodes, whatever carries them. @module */
export * from "./types.ts";
export * from "./errors.ts";
export {
  exchangeLinkHello,
  type LinkHelloOptions,
  linkProtocolVersion,
  maxLinkMessageBytes,
} from "./link/mod.ts";
export {
  tlsAccept,
  tlsConnect,
  TlsHandshakeError,
  type TlsOptions,
  type TlsPurpose,
  type TlsStream,
} from "./tls/mod.ts";
export {
  type QuicCongestion,
  QuicTransport,
  type QuicTransportOptions,
  type QuicTransportStats,
} from "./quic/mod.ts";
export { Backoff, type BackoffOptions, dialBest, type DialBestOptions } from "./dial/mod.ts";

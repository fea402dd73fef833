/** Sessions over Deno's QUIC, made mutual by TLS on the first stream. @module */
export {
  QuicTransport,
  type QuicTransportOptions,
  type QuicTransportStats,
} from "./quic_transport.ts";
export type { QuicCongestion } from "./transport_options.ts";

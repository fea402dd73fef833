/** Mutual TLS 1.3 over any `ByteStream`: the link handshake's and every relayed stream's encryption. @module */
export {
  tlsAccept,
  tlsConnect,
  TlsHandshakeError,
  type TlsOptions,
  type TlsPurpose,
} from "./tls_over_stream.ts";
export type { TlsStream } from "./tls_stream.ts";

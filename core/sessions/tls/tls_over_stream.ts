import tls from "node:tls";
import {
  type Credentials,
  networkServerName,
  type NodeCertificate,
  type NodeId,
  nodeServerName,
  trustOf,
  validateCertificate,
} from "../../identity/mod.ts";
import { errorText, PulseError } from "../../errors/mod.ts";
import { StreamResetError } from "../errors.ts";
import type { ByteStream } from "../types.ts";
import { StreamDuplex } from "./stream_duplex.ts";
import { FramedTlsStream, type TlsStream } from "./tls_stream.ts";

/** The two ends could not agree that they know each other. `code` SESSION_TLS; `cause` says why. */
export class TlsHandshakeError extends PulseError {
  override readonly name = "TlsHandshakeError";
  constructor(message: string, cause?: unknown) {
    super("SESSION_TLS", message, {}, cause);
  }
}

/**
 * What the TLS is for, negotiated as ALPN and checked on both ends: `link` is a link handshake, `end-to-end` a stream through
 * relays. Without the distinction a member could pass the bytes of a stream, which others may choose, off as a link handshake.
 */
export type TlsPurpose = "link" | "end-to-end";

const alpn: Readonly<Record<TlsPurpose, string>> = {
  link: "pulse-link/1",
  "end-to-end": "pulse-e2e/1",
};

export interface TlsOptions {
  readonly credentials: Credentials;
  /** Refuse everybody but this node. */
  readonly expect?: NodeId;
  readonly network: string;
  /** Wall clock, milliseconds. */
  readonly now: number;
  /** Ends the handshake; the stream is reset and the signal's reason thrown. */
  readonly signal: AbortSignal;
  /** @default "end-to-end" */
  readonly purpose?: TlsPurpose;
}

/**
 * TLS 1.3 with certificates on both ends over any stream, as the client. The server has not necessarily accepted this end yet
 * when it returns (TLS 1.3 lets the client finish first): a refusal shows as a failing `read()`.
 *
 * On failure the stream is reset.
 * @throws {TlsHandshakeError}
 * @throws {StreamResetError} the stream ended
 */
export function tlsConnect(stream: ByteStream, options: TlsOptions): Promise<TlsStream> {
  const { expect, network } = options;
  return handshake(stream, options, (duplex, secured, failed) => {
    const socket = tls.connect({
      ...tlsMaterial(options),
      socket: duplex,
      servername: expect === undefined
        ? networkServerName(network)
        : nodeServerName(expect, network),
    });
    socket.once("secureConnect", () => secured(socket));
    socket.on("error", failed);
    socket.once("close", () => failed(new StreamResetError("The stream ended in the handshake")));
    return () => socket.destroy();
  });
}

/**
 * The same as the server: asks for the client's certificate and returns once it is proven and valid.
 *
 * On failure the stream is reset.
 * @throws {TlsHandshakeError}
 * @throws {StreamResetError} the stream ended
 */
export function tlsAccept(stream: ByteStream, options: TlsOptions): Promise<TlsStream> {
  return handshake(stream, options, (duplex, secured, failed) => {
    const server = tls.createServer({
      ...tlsMaterial(options),
      requestCert: true,
      // The certificate is judged in `handshake()`, by our own rules and by the library's verdict, both. Left to the library
      // alone a refused client would only be a "socket hang up" without the reason.
      rejectUnauthorized: false,
      // The caller's signal is the time limit.
      handshakeTimeout: 0x7fffffff,
    });
    server.once("secureConnection", (socket) => {
      socket.on("error", failed);
      secured(socket);
    });
    server.on("tlsClientError", failed);
    duplex.once("close", () => failed(new StreamResetError("The stream ended in the handshake")));
    server.emit("connection", duplex);
    return () => duplex.destroy();
  });
}

function tlsMaterial(
  { credentials, purpose = "end-to-end" }: TlsOptions,
): tls.SecureContextOptions & { ALPNProtocols: string[] } {
  return {
    cert: credentials.certificate.pem,
    key: credentials.key.privateKeyPem,
    ca: trustOf(credentials).anchors.map(({ pem }) => pem),
    minVersion: "TLSv1.3",
    maxVersion: "TLSv1.3",
    ALPNProtocols: [alpn[purpose]],
  };
}

type Start = (
  duplex: StreamDuplex,
  secured: (socket: tls.TLSSocket) => void,
  failed: (error: unknown) => void,
) => () => void;

async function handshake(
  stream: ByteStream,
  options: TlsOptions,
  start: Start,
): Promise<TlsStream> {
  const { signal } = options;
  const { promise, resolve, reject } = Promise.withResolvers<tls.TLSSocket>();
  const abort = () => reject(signal.reason);
  let stop: (() => void) | undefined;
  try {
    signal.throwIfAborted();
    signal.addEventListener("abort", abort, { once: true });
    const duplex = new StreamDuplex(stream);
    stop = start(duplex, resolve, reject);
    const socket = await promise;
    return new FramedTlsStream(socket, duplex, stream, checkPeer(socket, options));
  } catch (error) {
    stream.reset();
    stop?.();
    if (signal.aborted) throw signal.reason;
    if (error instanceof PulseError) throw error;
    throw new TlsHandshakeError(`The TLS handshake failed: ${errorText(error)}`, error);
  } finally {
    signal.removeEventListener("abort", abort);
  }
}

/** Nothing is sent or believed before this returned. */
function checkPeer(
  socket: tls.TLSSocket,
  { credentials, expect, network, now, purpose = "end-to-end" }: TlsOptions,
): NodeCertificate {
  if (socket.alpnProtocol !== alpn[purpose]) {
    throw new TlsHandshakeError(
      `The other end opened TLS for "${socket.alpnProtocol || "nothing"}", not for "${
        alpn[purpose]
      }"`,
    );
  }
  const der = socket.getPeerCertificate(true)?.raw;
  if (der === undefined) throw new TlsHandshakeError("The other end showed no certificate");
  let peer: NodeCertificate;
  try {
    peer = validateCertificate(der, trustOf(credentials), {
      now,
      network,
      ...(expect === undefined ? {} : { expect }),
    });
  } catch (error) {
    throw new TlsHandshakeError(`The other end was refused: ${errorText(error)}`, error);
  }
  if (!socket.authorized) {
    throw new TlsHandshakeError(
      `The other end was refused: ${errorText(socket.authorizationError)}`,
      socket.authorizationError,
    );
  }
  return peer;
}

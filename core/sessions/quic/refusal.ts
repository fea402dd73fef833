import { CertificateError } from "../../identity/mod.ts";
import { errorText } from "../../errors/mod.ts";
import { DialError, LinkRefusedError, ProtocolError } from "../errors.ts";
import { TlsHandshakeError } from "../tls/mod.ts";
import { type DialTarget, SessionCloseCode } from "../types.ts";
import { remoteClose } from "./close_info.ts";

/** How long a dialler whose handshake broke waits to be told why. */
const explanationMs = 500;

/** Code and words for a connection whose link handshake failed here. Strangers learn nothing but that. */
export function refusalOf(error: unknown): { code: number; reason: string } {
  if (error instanceof LinkRefusedError) return { code: error.closeCode, reason: error.message };
  if (error instanceof ProtocolError) {
    return { code: SessionCloseCode.protocolError, reason: error.message };
  }
  if (error instanceof TlsHandshakeError) {
    const wrongNetwork = error.cause instanceof CertificateError &&
      error.cause.code === "CERT_NETWORK";
    return {
      code: wrongNetwork ? SessionCloseCode.wrongNetwork : SessionCloseCode.unauthenticated,
      reason: error.message,
    };
  }
  return { code: SessionCloseCode.unauthenticated, reason: "no link handshake" };
}

/**
 * Ends a connection whose link handshake failed at the dialler, and turns the failure into what the caller should see: a
 * `LinkRefusedError` when either end said no, else a `DialError`.
 */
export async function refusedDial(
  connection: Deno.QuicConn,
  target: DialTarget,
  error: unknown,
): Promise<LinkRefusedError | DialError> {
  const decidedHere = error instanceof LinkRefusedError ||
    error instanceof TlsHandshakeError && error.cause instanceof CertificateError;
  const { code, reason } = refusalOf(error);
  if (!decidedHere) {
    // The acceptor's reason travels in the connection's close, which may come a moment after its stream broke.
    const timer = setTimeout(
      () => connection.close({ closeCode: code, reason: "" }),
      explanationMs,
    );
    const info = await remoteClose(connection);
    clearTimeout(timer);
    if (info.remote && info.code !== 0) {
      return new LinkRefusedError(
        `${where(target)} refused the link: ${info.reason || `code ${info.code}`}`,
        info.code,
        { host: target.host, port: target.port, remote: true },
        error,
      );
    }
  }
  connection.close({ closeCode: code, reason: reason.slice(0, 200) });
  if (error instanceof LinkRefusedError) return error;
  if (decidedHere) {
    return new LinkRefusedError(
      `The node at ${where(target)} was refused: ${errorText(error.cause)}`,
      code,
      { host: target.host, port: target.port },
      error,
    );
  }
  return new DialError(
    `The link handshake with ${where(target)} failed: ${errorText(error)}`,
    { host: target.host, port: target.port },
    error,
  );
}

/** `host:port` for messages. */
export function where(target: DialTarget): string {
  const { host, port } = target;
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}

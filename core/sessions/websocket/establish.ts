import type { NodeCertificate } from "../../identity/types.ts";
import { errorText } from "../../errors/mod.ts";
import { LinkRefusedError, ProtocolError } from "../errors.ts";
import { exchangeLinkHello } from "../link/mod.ts";
import { type LinkPolicy, SessionCloseCode, type SessionLimits } from "../types.ts";
import type { WebSocketPipe } from "./websocket_pipe.ts";
import { WebSocketSession } from "./websocket_session.ts";

/** What a dialler may send before it is welcome: its hello with yamux's frames around it, many times over. */
export const HELLO_ALLOWANCE_BYTES = 64 * 1024;

export interface EstablishOptions {
  readonly role: "dialler" | "acceptor";
  readonly policy: LinkPolicy;
  readonly limits: SessionLimits;
  readonly peer: NodeCertificate;
  readonly remoteAddress: string;
  /** Ends the handshake; its reason is thrown. */
  readonly signal: AbortSignal;
}

/**
 * The link hello on the first stream, then the session. The connection is closed when it fails, and the peer told why where it
 * is owed a reason.
 *
 * A dialler that knew only the address needs no second dial here, unlike with QUIC: the TLS under this hello is mutual, the
 * hello names the certificate that this very TLS showed, so a member in the middle would have to show its own and be named.
 */
export async function establish(
  pipe: WebSocketPipe,
  options: EstablishOptions,
): Promise<WebSocketSession> {
  const { role, policy, peer, signal } = options;
  const session = new WebSocketSession(pipe, { ...options, now: () => performance.now() });
  const abort = () => pipe.terminate();
  signal.addEventListener("abort", abort, { once: true });
  try {
    signal.throwIfAborted();
    const stream = role === "dialler" ? await session.openStream() : await session.acceptStream();
    if (stream === null) throw new ProtocolError("the peer closed before the link hello");
    const rest = await exchangeLinkHello(stream, {
      role,
      policy,
      peer,
      signal,
      transport: "websocket",
    });
    if (rest.length > 0) throw new ProtocolError("the peer went on after the link hello");
    await stream.closeWrite();
    pipe.trust();
    return session;
  } catch (error) {
    const code = error instanceof LinkRefusedError
      ? error.closeCode
      : SessionCloseCode.protocolError;
    await session.close(code, errorText(error));
    signal.throwIfAborted();
    // When the peer's refusal was overtaken by the end of the connection, the close frame has it too.
    const end = await session.closed;
    if (
      end.remote && end.code !== SessionCloseCode.normal && !(error instanceof LinkRefusedError)
    ) {
      throw new LinkRefusedError(
        `${peer.id} refused the link: ${end.reason || `code ${end.code}`}`,
        end.code,
        { peer: peer.id, remote: true },
        error,
      );
    }
    throw error;
  } finally {
    signal.removeEventListener("abort", abort);
  }
}

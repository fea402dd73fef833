import { formatHostPort } from "../../address/mod.ts";
import { errorText } from "../../errors/mod.ts";
import { type JoinConversation, maxJoinMessageBytes } from "../../identity/mod.ts";
import { DialError } from "../errors.ts";
import { JoinSocket } from "./join_socket.ts";
import { openSocket } from "./open_socket.ts";
import { JOIN_PATH, zeroMask } from "./websocket_wire.ts";
import { commonOptions } from "./ws_library.ts";

/** No name of anybody: a stranger does not know whom it talks to yet. */
const SERVER_NAME = "join.pulse.internal";

/**
 * A join conversation with the node at an address, or by way of it with the CA.
 *
 * The server's certificate is not verified, on purpose: who joins does not have the CA certificate yet. The join messages
 * themselves prove both sides to each other by the token, without sending it, so whoever sits in between learns nothing
 * and can put nothing in. TLS only keeps the messages from onlookers.
 * @throws {DialError}
 */
export async function openJoinConversation(
  options: { readonly host: string; readonly port: number; readonly signal: AbortSignal },
): Promise<JoinConversation & AsyncDisposable> {
  const where = formatHostPort(options);
  try {
    return await openSocket(
      `wss://${where}${JOIN_PATH}`,
      {
        ...commonOptions,
        servername: SERVER_NAME,
        minVersion: "TLSv1.3",
        rejectUnauthorized: false,
        checkServerIdentity: () => undefined,
        followRedirects: false,
        maxPayload: maxJoinMessageBytes,
        generateMask: zeroMask,
      },
      options.signal,
      {
        check: ({ socket }) =>
          formatHostPort({ host: socket.remoteAddress ?? options.host, port: options.port }),
        open: (socket, remoteAddress) => new JoinSocket(socket, remoteAddress),
      },
    );
  } catch (error) {
    options.signal.throwIfAborted();
    throw new DialError(
      `no join conversation with ${where}: ${errorText(error)}`,
      { where },
      error,
    );
  }
}

import { errorText, PulseError } from "../errors/mod.ts";
import type { JoinConversation } from "../plugin/types.ts";
import { listenWebSocket, type WebSocketListener } from "../sessions/websocket/mod.ts";
import { QuicTransport } from "../sessions/quic/mod.ts";
import type { LinkPolicy, SessionLimits } from "../sessions/types.ts";
import type { HostPort } from "../address/mod.ts";

/** QUIC and WebSocket on one port number. */
export interface Listeners extends AsyncDisposable {
  readonly quic: QuicTransport | undefined;
  readonly websocket: WebSocketListener | undefined;
  readonly address: HostPort;
}

export interface ListenOptions {
  readonly listen: HostPort;
  readonly policy: LinkPolicy;
  readonly limits: SessionLimits;
  readonly quic: boolean;
  readonly websocket: boolean;
  onJoin(conversation: JoinConversation): Promise<void>;
}

/** A free UDP port whose TCP twin is taken is not free for us; another one is tried this often. */
const portAttempts = 20;

/** @throws {PulseError} LISTEN_FAILED names the address and what holds it */
export async function openListeners(options: ListenOptions): Promise<Listeners> {
  const { listen } = options;
  for (let attempt = 1;; attempt++) {
    try {
      return await openBoth(options);
    } catch (cause) {
      if (listen.port === 0 && attempt < portAttempts) continue;
      throw new PulseError(
        "LISTEN_FAILED",
        `Cannot listen on ${listen.host || "*"}:${listen.port} (${
          errorText(cause)
        }); stop what uses the port or choose another with --listen`,
        { host: listen.host, port: listen.port },
        cause,
      );
    }
  }
}

async function openBoth(options: ListenOptions): Promise<Listeners> {
  const { policy, limits } = options;
  const host = options.listen.host === "" ? "0.0.0.0" : options.listen.host;
  const quic = options.quic
    ? await QuicTransport.open({ host, port: options.listen.port, policy, limits })
    : undefined;
  const port = quic?.address.port ?? options.listen.port;
  try {
    const websocket = options.websocket
      ? await listenWebSocket({
        host,
        port,
        policy,
        limits,
        onJoin: (conversation) => options.onJoin(conversation),
      })
      : undefined;
    return {
      quic,
      websocket,
      address: { host, port: websocket?.address.port ?? port },
      async [Symbol.asyncDispose]() {
        await Promise.all([quic?.[Symbol.asyncDispose](), websocket?.[Symbol.asyncDispose]()]);
      },
    };
  } catch (error) {
    await quic?.[Symbol.asyncDispose]();
    throw error;
  }
}

import { parseHostPort } from "../address/mod.ts";
import { errorText } from "../errors/mod.ts";
import type { LogFn } from "../plugin/types.ts";
import { claimSocketPath } from "./claim_socket.ts";
import { connToStream } from "../streams/conn_stream.ts";
import { ControlError } from "./errors.ts";
import { loadOrCreateLocalToken } from "./local_token.ts";
import { type OpenTunnelStream, serveTunnelConnection } from "./tunnel_connection.ts";

export interface ServeTunnelsOptions {
  /** `<data-dir>/tunnel.sock`. */
  readonly socketPath: string;
  /** The TCP tunnel listener (`--tcp`): `ip:port`, and the file with the token it wants. Undefined: none. */
  readonly tcp?: { readonly address: string; readonly tokenPath: string } | undefined;
  readonly openStream: OpenTunnelStream;
  readonly log: LogFn;
  /** From a connection to its whole first line, milliseconds. @default 5000 */
  readonly lineTimeoutMs?: number;
}

/** Tunnels open at once over each listener; a connection beyond that is closed at once. */
export const maxTunnels = 1_024;

export interface TunnelServer extends AsyncDisposable {
  /** `ip:port` of the TCP listener, null when there is none. */
  readonly tcpAddress: { readonly host: string; readonly port: number } | null;
}

/**
 * Serves raw tunnels into the mesh on a unix socket of mode 0600, and on TCP when asked to. Disposing it resets what is open.
 * @throws {ControlError} SOCKET_IN_USE, SOCKET_PATH, TUNNEL_LISTEN, LOCAL_TOKEN
 */
export async function serveTunnels(options: ServeTunnelsOptions): Promise<TunnelServer> {
  const stop = new AbortController();
  await using resources = new AsyncDisposableStack();
  const serve = (listener: Deno.Listener, token: string | null) => {
    const running = acceptAll(listener, token, options, stop.signal);
    resources.defer(async () => {
      stop.abort();
      listener.close();
      await running;
    });
  };
  serve(await listenUnix(options.socketPath), null);
  let tcpAddress: TunnelServer["tcpAddress"] = null;
  if (options.tcp !== undefined) {
    const token = await loadOrCreateLocalToken(options.tcp.tokenPath);
    const listener = listenTcp(options.tcp.address);
    serve(listener, token);
    tcpAddress = { host: listener.addr.hostname, port: listener.addr.port };
  }
  const owned = resources.move();
  return { tcpAddress, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

async function acceptAll(
  listener: Deno.Listener,
  token: string | null,
  options: ServeTunnelsOptions,
  signal: AbortSignal,
): Promise<void> {
  const open = new Set<Promise<void>>();
  const { openStream, log, lineTimeoutMs } = options;
  while (!signal.aborted) {
    let conn: Deno.Conn;
    try {
      conn = await listener.accept();
    } catch (error) {
      if (signal.aborted || error instanceof Deno.errors.BadResource) break;
      // Out of descriptors, or the client left before it was accepted: the listener itself is well.
      log("warn", "tunnel connection not accepted", { error: errorText(error) });
      await new Promise((resolve) => setTimeout(resolve, 50));
      continue;
    }
    if (open.size >= maxTunnels) {
      log("warn", "too many tunnels", { count: open.size });
      conn.close();
      continue;
    }
    const serving = serveTunnelConnection(connToStream(conn), {
      openStream,
      log,
      token,
      signal,
      ...(lineTimeoutMs === undefined ? {} : { lineTimeoutMs }),
    }).finally(() => open.delete(serving));
    open.add(serving);
  }
  await Promise.all(open);
}

async function listenUnix(path: string): Promise<Deno.Listener> {
  await claimSocketPath(path);
  let listener: Deno.Listener;
  try {
    listener = Deno.listen({ transport: "unix", path });
  } catch (cause) {
    throw new ControlError(
      "SOCKET_PATH",
      `The socket ${path} cannot be opened: ${errorText(cause)}`,
      { path },
      cause,
    );
  }
  try {
    await Deno.chmod(path, 0o600);
  } catch (error) {
    listener.close();
    throw error;
  }
  return listener;
}

function listenTcp(address: string): Deno.TcpListener {
  const { host, port } = parseHostPort(address);
  try {
    return Deno.listen({ hostname: host, port });
  } catch (cause) {
    throw new ControlError(
      "TUNNEL_LISTEN",
      `The tunnel listener cannot use ${address} (${
        errorText(cause)
      }); choose another address with --tcp`,
      { address },
      cause,
    );
  }
}

import { openTunnel, type TunnelEndpoint } from "../../core/control/tunnel_client.ts";
import type { TunnelRequest } from "../../core/control/tunnel_protocol.ts";
import { connToStream } from "../../core/streams/conn_stream.ts";
import { pipe } from "../../core/streams/pipe.ts";

export interface ForwardOptions {
  readonly endpoint: TunnelEndpoint;
  readonly request: TunnelRequest;
  /** Ends the listener and everything that is open. */
  readonly signal: AbortSignal;
  /** A connection could not be carried, or broke. */
  failed(error: unknown): void;
}

/** Connections open at once; further ones wait in the listener's backlog. */
const maxConnections = 1_024;

/** Carries every connection of a listener through a tunnel of its own; resolves when all have ended after the signal. */
export async function serveForward(
  listener: Deno.Listener,
  options: ForwardOptions,
): Promise<void> {
  const { signal } = options;
  const open = new Set<Promise<void>>();
  const close = () => listener.close();
  signal.addEventListener("abort", close, { once: true });
  if (signal.aborted) close();
  while (!signal.aborted) {
    let conn: Deno.Conn;
    try {
      conn = await listener.accept();
    } catch (error) {
      if (signal.aborted || error instanceof Deno.errors.BadResource) break;
      options.failed(error);
      await new Promise((resolve) => setTimeout(resolve, 50));
      continue;
    }
    const carried = carry(conn, options).finally(() => open.delete(carried));
    open.add(carried);
    if (open.size >= maxConnections) await Promise.race(open);
  }
  await Promise.all(open);
}

async function carry(conn: Deno.Conn, options: ForwardOptions): Promise<void> {
  const { endpoint, request, signal } = options;
  const local = connToStream(conn);
  const end = () => local.reset();
  signal.addEventListener("abort", end, { once: true });
  try {
    const { stream } = await openTunnel(endpoint, request, { signal });
    try {
      await pipe(local, stream);
    } finally {
      stream.reset();
    }
  } catch (error) {
    if (!signal.aborted) options.failed(error);
  } finally {
    signal.removeEventListener("abort", end);
    local.reset();
  }
}

import { errorText } from "../errors/mod.ts";
import type { ByteStream } from "../sessions/types.ts";
import { Deadline, underSignal } from "../streams/mod.ts";
import { connToStream } from "../streams/conn_stream.ts";
import { ControlError, NotRunningError } from "./errors.ts";
import { readLine } from "./read_line.ts";
import {
  encodeTunnelRequest,
  maxTunnelLine,
  parseTunnelAnswer,
  type TunnelOpened,
  type TunnelRequest,
} from "./tunnel_protocol.ts";

/** Where a node serves tunnels: its unix socket, or its TCP listener (the request then carries the token). */
export type TunnelEndpoint =
  | { readonly path: string }
  | { readonly hostname: string; readonly port: number };

export interface Tunnel {
  readonly stream: ByteStream;
  readonly opened: TunnelOpened;
}

/** A little beyond the daemon's own limits, so that its reason arrives. */
const openTimeoutMs = 25_000;

/**
 * A stream through the daemon to a target at another node.
 * @throws {NotRunningError} no daemon there
 * @throws {ControlError} the daemon's refusal with its code
 */
export async function openTunnel(
  endpoint: TunnelEndpoint,
  request: TunnelRequest,
  options: { readonly signal?: AbortSignal } = {},
): Promise<Tunnel> {
  const stream = connToStream(await connect(endpoint));
  using deadline = new Deadline(openTimeoutMs, options.signal);
  return await underSignal(stream, deadline.signal, "The tunnel", async () => {
    await stream.write(encodeTunnelRequest(request));
    const { line, rest } = await readLine(stream, maxTunnelLine);
    return { stream: rest, opened: parseTunnelAnswer(line) };
  });
}

async function connect(endpoint: TunnelEndpoint): Promise<Deno.Conn> {
  const name = "path" in endpoint ? endpoint.path : `${endpoint.hostname}:${endpoint.port}`;
  try {
    return "path" in endpoint
      ? await Deno.connect({ transport: "unix", path: endpoint.path })
      : await Deno.connect(endpoint);
  } catch (cause) {
    if (cause instanceof Deno.errors.NotFound || cause instanceof Deno.errors.ConnectionRefused) {
      throw new NotRunningError(name, cause);
    }
    throw new ControlError("CONTROL_FAILED", `${name}: ${errorText(cause)}`, {}, cause);
  }
}

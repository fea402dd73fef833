import { errorCode, errorText } from "../errors/mod.ts";
import type { LogFn } from "../plugin/types.ts";
import type { ByteStream } from "../sessions/types.ts";
import { Deadline, type MeshStream, pipe, underSignal } from "../streams/mod.ts";
import { ControlError } from "./errors.ts";
import { isLocalToken } from "./local_token.ts";
import { readLine } from "./read_line.ts";
import {
  encodeTunnelOpened,
  encodeTunnelRefused,
  maxTunnelLine,
  parseTunnelRequest,
} from "./tunnel_protocol.ts";

/** What a tunnel asks the mesh for; the shape of `HostServices.openStream`. */
export type OpenTunnelStream = (
  request: {
    readonly node: string;
    readonly protocol: string;
    readonly target: string;
    readonly port: number;
  },
  options: { readonly signal: AbortSignal },
) => Promise<MeshStream>;

export interface TunnelConnectionOptions {
  readonly openStream: OpenTunnelStream;
  readonly log: LogFn;
  /** The local token that the first line has to carry; null on the unix socket, whose mode says who may. */
  readonly token: string | null;
  /** Ends the tunnel abruptly. */
  readonly signal: AbortSignal;
  /** From the connection to its whole first line. @default 5000 */
  readonly lineTimeoutMs?: number;
}

/** Beyond the mesh's own limit for opening a stream. */
const openTimeoutMs = 15_000;
/** So long a refused client is listened to, so that what it sent early does not cost it the reason. */
const lingerMs = 1_000;

/** Serves one connection of the tunnel listener; never rejects, and the connection has ended afterwards. */
export async function serveTunnelConnection(
  stream: ByteStream,
  options: TunnelConnectionOptions,
): Promise<void> {
  const { log, signal } = options;
  const end = () => stream.reset();
  signal.addEventListener("abort", end, { once: true });
  if (signal.aborted) end();
  let mesh: MeshStream | undefined;
  try {
    const opened = await open(stream, options);
    if (opened === null) return;
    mesh = opened.mesh;
    await pipe(opened.rest, mesh);
  } catch (error) {
    log("debug", "tunnel ended", { code: errorCode(error), error: errorText(error) });
  } finally {
    signal.removeEventListener("abort", end);
    mesh?.reset();
    stream.reset();
  }
}

/** Null when the client was refused and has been told. */
async function open(
  stream: ByteStream,
  options: TunnelConnectionOptions,
): Promise<{ readonly rest: ByteStream; readonly mesh: MeshStream } | null> {
  let mesh: MeshStream;
  let rest: ByteStream;
  try {
    const first = await readFirstLine(stream, options);
    rest = first.rest;
    const { node, target, port, token } = parseTunnelRequest(first.line);
    if (options.token !== null && !isLocalToken(token, options.token)) {
      throw new ControlError(
        "TUNNEL_DENIED",
        `this listener wants the node's local token in "token"; it is in the file local-token of the node's data directory`,
      );
    }
    using deadline = new Deadline(openTimeoutMs, options.signal);
    const where = node === undefined
      ? { node: "", protocol: "tcp.exit" }
      : { node, protocol: "tcp" };
    mesh = await options.openStream({ ...where, target, port }, { signal: deadline.signal });
  } catch (error) {
    await refuse(stream, error, options.signal);
    return null;
  }
  try {
    await stream.write(encodeTunnelOpened({ node: mesh.peer.id, path: mesh.path }));
  } catch (error) {
    mesh.reset();
    throw error;
  }
  return { rest, mesh };
}

async function readFirstLine(stream: ByteStream, options: TunnelConnectionOptions) {
  using deadline = new Deadline(options.lineTimeoutMs ?? 5_000, options.signal);
  return await underSignal(
    stream,
    deadline.signal,
    "The first line",
    () => readLine(stream, maxTunnelLine),
  );
}

async function refuse(stream: ByteStream, error: unknown, signal: AbortSignal): Promise<void> {
  using deadline = new Deadline(lingerMs, signal);
  try {
    await underSignal(stream, deadline.signal, "The refusal", async () => {
      await stream.write(encodeTunnelRefused(errorCode(error), errorText(error)));
      await stream.closeWrite();
      while (await stream.read() !== null);
    });
  } catch {
    // The client is gone or goes on talking: it has had its answer.
    stream.reset();
  }
}

import { errorText } from "../errors/mod.ts";
import type { LogFn } from "../plugin/types.ts";
import { version } from "../version.ts";
import { claimSocketPath } from "./claim_socket.ts";
import { ControlError } from "./errors.ts";
import type { NodeControl } from "./types.ts";

export interface ServeControlOptions {
  /** `<data-dir>/pulse.sock`; the directory has to exist. */
  readonly socketPath: string;
  readonly control: NodeControl;
  readonly log: LogFn;
  /** Ends the service like disposing it does. */
  readonly signal?: AbortSignal;
  /** Largest time for one request, milliseconds. @default 30000 */
  readonly requestTimeoutMs?: number;
}

/** Requests answered at once; more are refused with 503. */
export const maxRequests = 64;

/**
 * Serves the control API on a unix socket of mode 0600. The HTTP library and its schemas come in with the first request that needs
 * them: a node nobody asks anything does not pay their memory (6 to 7 MB measured). `GET /api/ping` needs none of it.
 * @throws {ControlError} SOCKET_IN_USE, SOCKET_PATH
 */
export async function serveControl(options: ServeControlOptions): Promise<AsyncDisposable> {
  const { socketPath, control, log } = options;
  await claimSocketPath(socketPath);
  const stopping = new AbortController();
  let app: Promise<(request: Request) => Promise<Response>> | undefined;
  const loadApp = async () => {
    const { createControlApp } = await import("./app.ts");
    const { signal } = stopping;
    const { requestTimeoutMs } = options;
    return createControlApp({
      control,
      log,
      pid: Deno.pid,
      signal,
      ...(requestTimeoutMs === undefined ? {} : { requestTimeoutMs }),
    });
  };
  let active = 0;
  const handler = async (request: Request): Promise<Response> => {
    if (request.method === "GET" && new URL(request.url).pathname === "/api/ping") {
      return Response.json({ pid: Deno.pid, version });
    }
    if (active >= maxRequests) return new Response(null, { status: 503 });
    active++;
    try {
      return await (await (app ??= loadApp()))(request);
    } finally {
      active--;
    }
  };
  const server = listen(socketPath, handler);
  try {
    await Deno.chmod(socketPath, 0o600);
  } catch (error) {
    await server.shutdown();
    throw error;
  }
  log("debug", "control socket open", { address: socketPath });
  let closing: Promise<void> | undefined;
  const close = () => {
    options.signal?.removeEventListener("abort", closeInBackground);
    stopping.abort();
    return closing ??= server.shutdown();
  };
  // shutdown() settles by itself; whoever disposes waits for the same promise.
  const closeInBackground = () => void close();
  if (options.signal?.aborted) await close();
  else options.signal?.addEventListener("abort", closeInBackground, { once: true });
  return { [Symbol.asyncDispose]: close };
}

function listen(path: string, handler: (request: Request) => Promise<Response>) {
  try {
    return Deno.serve({ path, onListen: () => {} }, handler);
  } catch (cause) {
    throw new ControlError(
      "SOCKET_PATH",
      `The socket ${path} cannot be opened: ${errorText(cause)}`,
      { path },
      cause,
    );
  }
}

import { errorText } from "../errors/mod.ts";
import type { LogFn } from "../plugin/types.ts";
import { version } from "../version.ts";
import type { ApiKeyStore } from "./api_key_store.ts";
import { localCaller } from "./authorisation.ts";
import { claimSocketPath } from "./claim_socket.ts";
import { ControlError } from "./errors.ts";
import { lazyApp } from "./lazy_app.ts";
import type { NodeControl } from "./types.ts";

export interface ServeControlOptions {
  /** `<data-dir>/pulse.sock`; the directory has to exist. */
  readonly socketPath: string;
  readonly control: NodeControl;
  readonly apiKeys: ApiKeyStore;
  readonly log: LogFn;
  /** Ends the service like disposing it does. */
  readonly signal?: AbortSignal;
  /** Largest time for one request, milliseconds. @default 30000 */
  readonly requestTimeoutMs?: number;
}

/**
 * Serves the control API on a unix socket of mode 0600. `GET /api/ping` needs nothing of what `lazyApp` loads.
 * @throws {ControlError} SOCKET_IN_USE, SOCKET_PATH
 */
export async function serveControl(options: ServeControlOptions): Promise<AsyncDisposable> {
  const { socketPath, log } = options;
  await claimSocketPath(socketPath);
  const stopping = new AbortController();
  const app = lazyApp({ ...options, signal: stopping.signal });
  const handler = async (request: Request): Promise<Response> => {
    if (request.method === "GET" && new URL(request.url).pathname === "/api/ping") {
      return Response.json({ pid: Deno.pid, version });
    }
    return await app(request, localCaller);
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

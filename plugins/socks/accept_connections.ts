import { errorText } from "../../core/errors/mod.ts";
import type { LogFn } from "../../core/plugin/types.ts";

/** Between attempts while the process has no file descriptor left. */
const pauseMs = 100;

/**
 * Takes connections until the listener is closed. An accept that fails (no file descriptor is free, the client has gone again)
 * costs a pause, never the listener.
 */
export async function acceptConnections(
  listener: Pick<Deno.TcpListener, "accept">,
  welcome: (conn: Deno.TcpConn) => void,
  log: LogFn,
): Promise<void> {
  let failing = false;
  for (;;) {
    try {
      welcome(await listener.accept());
      failing = false;
    } catch (error) {
      const closed = [Deno.errors.BadResource, Deno.errors.Interrupted];
      if (closed.some((kind) => error instanceof kind)) return;
      if (!failing) log("warn", "connections cannot be accepted", { error: errorText(error) });
      failing = true;
      await new Promise((resolve) => setTimeout(resolve, pauseMs));
    }
  }
}

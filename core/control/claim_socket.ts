import { errorText } from "../errors/mod.ts";
import { ControlError } from "./errors.ts";

/**
 * Makes the path of a unix socket free for `bind`: a socket that nobody answers on any more is removed.
 * @throws {ControlError} SOCKET_IN_USE somebody answers; SOCKET_PATH it is something else or cannot be removed
 */
export async function claimSocketPath(path: string): Promise<void> {
  let info: Deno.FileInfo;
  try {
    info = await Deno.lstat(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return;
    throw unusable(path, errorText(error), error);
  }
  if (!info.isSocket) throw unusable(path, "something that is no socket is in its place");
  try {
    const conn = await Deno.connect({ transport: "unix", path });
    conn.close();
  } catch (error) {
    if (!(error instanceof Deno.errors.ConnectionRefused)) {
      throw unusable(path, errorText(error), error);
    }
    await Deno.remove(path);
    return;
  }
  throw new ControlError(
    "SOCKET_IN_USE",
    `somebody answers on ${path} already; stop that daemon with "pulse stop" or use another --data-dir`,
    { path },
  );
}

function unusable(path: string, why: string, cause?: unknown): ControlError {
  return new ControlError(
    "SOCKET_PATH",
    `The socket ${path} cannot be opened: ${why}`,
    { path },
    cause,
  );
}

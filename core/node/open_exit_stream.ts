import { parseHostPort } from "../address/mod.ts";
import { errorCode, PulseError } from "../errors/mod.ts";
import type { NodeId } from "../identity/types.ts";
import type { MeshStream, StreamRequest } from "../streams/mod.ts";
import type { ExitView } from "./exit_view.ts";
import { findExit, type FindExitOptions } from "./find_exit.ts";

/** So many exits of one range are tried. */
const maxExits = 3;

/** Between here and the exit something broke: nothing of the target has been asked yet. */
const lost: readonly string[] = ["STREAM_NO_LINK", "STREAM_FAILED"];

export interface OpenExitStreamOptions {
  readonly self: NodeId;
  readonly exits: ExitView;
  open(request: StreamRequest): Promise<MeshStream>;
  readonly resolve?: FindExitOptions["resolve"];
}

/**
 * A stream to a target outside the mesh, through the exit that leads there; an exit that cannot be reached costs another try
 * through the next best. A refusal by an exit is final.
 *
 * @throws {PulseError} EXIT_NONE, EXIT_DOWN; and what opening a stream throws
 */
export async function openExitStream(
  request: Omit<StreamRequest, "destination">,
  { self, exits, open, resolve }: OpenExitStreamOptions,
): Promise<MeshStream> {
  const { host } = parseHostPort(request.target ?? "");
  const avoid: NodeId[] = [];
  let failure: unknown;
  while (avoid.length < maxExits) {
    const destination = await findExit(exits, self, { host, avoid, ...(resolve && { resolve }) });
    if (destination === null) break;
    try {
      return await open({ ...request, destination });
    } catch (error) {
      if (!lost.includes(errorCode(error))) throw error;
      failure = error;
      avoid.push(destination);
    }
  }
  throw failure ?? new PulseError(
    "EXIT_NONE",
    `No exit leads to ${host}; "pulse route list" shows the ranges there are, or name a node`,
    { host },
  );
}

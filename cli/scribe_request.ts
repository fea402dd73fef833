import type { ControlMethod } from "../core/control/client.ts";
import { errorCode, PulseError } from "../core/errors/mod.ts";
import type { Json } from "../core/plugin/types.ts";
import type { CommonOptions } from "./command_line/command.ts";
import { withClient } from "./context.ts";
import type { CliIo } from "./io.ts";

/**
 * Asks the scribe in the local daemon.
 * @throws {PulseError} NOT_SCRIBE the node is none
 */
export async function scribeRequest(
  command: CommonOptions,
  io: CliIo,
  method: ControlMethod,
  path: string,
  body?: Json,
): Promise<Json> {
  return await withClient(command, io, async (client) => {
    try {
      return await client.request(method, path, body);
    } catch (error) {
      if (errorCode(error) !== "ROUTE_UNKNOWN") throw error;
      throw new PulseError(
        "NOT_SCRIBE",
        "This node is not the network's scribe; run this on the node that was started with --scribe",
        {},
        error,
      );
    }
  });
}

/** Asks for everything of a list that comes in pages. */
export async function scribeList(
  command: CommonOptions,
  io: CliIo,
  path: string,
  key: string,
): Promise<readonly Json[]> {
  const items: Json[] = [];
  let cursor: Json = null;
  do {
    const query = new URLSearchParams({
      limit: "1000",
      ...(typeof cursor === "string" ? { cursor } : {}),
    });
    const page = await scribeRequest(command, io, "GET", `${path}?${query}`);
    const { [key]: found = [], next = null } = page as { readonly [key: string]: Json };
    if (Array.isArray(found)) items.push(...found);
    cursor = next;
  } while (cursor !== null);
  return items;
}

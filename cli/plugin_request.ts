import type { ControlMethod } from "../core/control/client.ts";
import { errorCode, PulseError } from "../core/errors/mod.ts";
import type { Json } from "../core/plugin/types.ts";
import type { CommonOptions } from "./command_line/command.ts";
import { withClient } from "./context.ts";
import type { CliIo } from "./io.ts";

/** Asks a plugin of the local daemon. */
export type PluginRequest = (
  command: CommonOptions,
  io: CliIo,
  method: ControlMethod,
  path: string,
  body?: Json,
) => Promise<Json>;

/** Asks the CA. @throws {PulseError} NOT_CA the node is none */
export const caRequest = requestTo(
  "NOT_CA",
  "This node is not the network's CA; run this on the node that was started with --ca",
);

/** Asks the scribe. @throws {PulseError} NOT_SCRIBE the node is none */
export const scribeRequest = requestTo(
  "NOT_SCRIBE",
  "This node is not the network's scribe; run this on the node that was started with --scribe",
);

/** Asks whoever makes tokens: the scribe, or the CA. @throws {PulseError} NOT_SCRIBE the node is neither */
export const tokenRequest = requestTo(
  "NOT_SCRIBE",
  "This node is neither the network's scribe nor its CA; run this on a node that was started with --scribe or --ca",
);

/** Asks for everything of a list that comes in pages. */
export async function requestList(
  request: PluginRequest,
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
    const page = await request(command, io, "GET", `${path}?${query}`);
    const { [key]: found = [], next = null } = page as { readonly [key: string]: Json };
    if (Array.isArray(found)) items.push(...found);
    cursor = next;
  } while (cursor !== null);
  return items;
}

/** @param code and `message`: what to say when the daemon has no such route */
function requestTo(code: string, message: string): PluginRequest {
  return async (command, io, method, path, body) =>
    await withClient(command, io, async (client) => {
      try {
        return await client.request(method, path, body);
      } catch (error) {
        if (errorCode(error) !== "ROUTE_UNKNOWN") throw error;
        throw new PulseError(code, message, {}, error);
      }
    });
}

import type { ControlMethod } from "../core/control/client.ts";
import { errorCode, PulseError } from "../core/errors/mod.ts";
import type { Json } from "../core/plugin/types.ts";
import type { CommonOptions } from "./command_line/command.ts";
import { withClient } from "./context.ts";
import type { CliIo } from "./io.ts";

/**
 * Asks the CA in the local daemon.
 * @throws {PulseError} NOT_CA the node is none
 */
export async function caRequest(
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
        "NOT_CA",
        "This node is not the network's CA; run this on the node that was started with --ca",
        {},
        error,
      );
    }
  });
}

/** A request body without the keys that were not given. */
export function compactBody(body: { readonly [key: string]: Json | undefined }): Json {
  return Object.fromEntries(Object.entries(body).filter(([, value]) => value !== undefined));
}

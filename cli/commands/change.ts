import { z } from "zod";
import type { ControlMethod } from "../../core/control/client.ts";
import { escapeText } from "../../core/log/escape_text.ts";
import type { Json } from "../../core/plugin/types.ts";
import type { CommonOptions } from "../command_line/command.ts";
import { printJson } from "../context.ts";
import { exitCode } from "../exit_code.ts";
import type { CliIo } from "../io.ts";
import { scribeRequest } from "../plugin_request.ts";

const outcome = z.object({ version: z.string(), changed: z.boolean(), note: z.string() });

/** Changes the network config and says what came of it. */
export async function change(
  command: CommonOptions,
  io: CliIo,
  method: ControlMethod,
  path: string,
  body: Json,
): Promise<number> {
  const answer = await scribeRequest(command, io, method, path, body);
  if (command.json) {
    printJson(io, answer);
    return exitCode.ok;
  }
  const { version, changed, note } = outcome.parse(answer);
  const text = changed ? `${note} (version ${version})` : `nothing to change: ${note}`;
  io.stdout(`${escapeText(text)}\n`);
  return exitCode.ok;
}

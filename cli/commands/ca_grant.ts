import { z } from "zod";
import { caRequest } from "../plugin_request.ts";
import type { CaGrantCommand } from "../command_line/command.ts";
import { printJson } from "../context.ts";
import { exitCode } from "../exit_code.ts";
import type { CliIo } from "../io.ts";

/** Who may change the network config; takes effect as fast as the grant spreads. */
export async function caGrant(command: CaGrantCommand, io: CliIo): Promise<number> {
  const body = { scribe: command.node ?? null };
  const answer = await caRequest(command, io, "POST", "/api/ca/grants", body);
  if (command.json) {
    printJson(io, answer);
    return exitCode.ok;
  }
  const { scribe, epoch } = z.object({ scribe: z.string().nullable(), epoch: z.number() })
    .parse(answer);
  io.stdout(
    scribe === null
      ? `nobody is the scribe any more (epoch ${epoch})\n`
      : `node ${scribe} is the scribe (epoch ${epoch})\n`,
  );
  return exitCode.ok;
}

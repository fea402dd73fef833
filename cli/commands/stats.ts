import { statsSchema } from "../../core/control/history_schema.ts";
import type { StatsCommand } from "../command_line/command.ts";
import { printJson, withClient } from "../context.ts";
import { exitCode } from "../exit_code.ts";
import type { CliIo } from "../io.ts";
import { statsText } from "../render/stats_text.ts";
import { parseSince } from "../since.ts";

/** What this node measured of its peers, or the node that is named. */
export async function stats(command: StatsCommand, io: CliIo): Promise<number> {
  const query = new URLSearchParams({ since: parseSince(command.since, Date.now()) });
  const { node, peer, resolution } = command;
  for (const [key, value] of Object.entries({ node, peer, resolution })) {
    if (value !== undefined) query.set(key, value);
  }
  const answer = await withClient(
    command,
    io,
    async (client) => statsSchema.parse(await client.request("GET", `/api/stats?${query}`)),
  );
  if (command.json) printJson(io, answer);
  else io.stdout(statsText(answer, { width: io.columns }));
  return exitCode.ok;
}

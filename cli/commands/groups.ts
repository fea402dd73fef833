import { z } from "zod";
import type { GroupsCommand } from "../command_line/control_command.ts";
import { printJson } from "../context.ts";
import { exitCode } from "../exit_code.ts";
import type { CliIo } from "../io.ts";
import { renderTable } from "../render/table.ts";
import { scribeRequest } from "../plugin_request.ts";

/** How many nodes have each tag. */
export async function groups(command: GroupsCommand, io: CliIo): Promise<number> {
  const answer = await scribeRequest(command, io, "GET", "/api/groups");
  if (command.json) {
    printJson(io, answer);
    return exitCode.ok;
  }
  const counts = Object.entries(z.record(z.string(), z.number()).parse(answer));
  if (counts.length === 0) {
    io.stdout("no node has a tag; give one with: pulse tag NODE TAG\n");
    return exitCode.ok;
  }
  const lines = renderTable(
    [{ title: "TAG" }, { title: "NODES", align: "right" }],
    counts.sort(([a], [b]) => a < b ? -1 : 1).map(([tag, count]) => [tag, String(count)]),
    { width: io.columns },
  );
  io.stdout(`${lines.join("\n")}\n`);
  return exitCode.ok;
}

import type { PermissionsCommand } from "../command_line/command.ts";
import { printJson, withClient } from "../context.ts";
import { exitCode } from "../exit_code.ts";
import type { CliIo } from "../io.ts";
import { renderTable } from "../render/table.ts";

/** What the running daemon may do, as it finds by trying. */
export async function permissions(command: PermissionsCommand, io: CliIo): Promise<number> {
  const probes = await withClient(command, io, (client) => client.permissions());
  if (command.json) {
    printJson(io, { probes });
    return exitCode.ok;
  }
  const rows = probes.map(({ what, allowed, detail }) => [allowed ? "yes" : "no", what, detail]);
  const lines = renderTable(
    [{ title: "MAY" }, { title: "WHAT" }, { title: "FOUND", shrinkTo: 10, dispensable: 1 }],
    rows,
    { width: io.columns },
  );
  io.stdout(`${lines.join("\n")}\n`);
  return exitCode.ok;
}

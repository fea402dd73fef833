import type { StatusCommand } from "../command_line/command.ts";
import { printJson, withClient } from "../context.ts";
import { exitCode } from "../exit_code.ts";
import type { CliIo } from "../io.ts";

/** The node and its mesh as the running daemon sees them. */
export async function status(command: StatusCommand, io: CliIo): Promise<number> {
  const report = await withClient(command, io, (client) => client.status());
  if (command.json) {
    printJson(io, report);
  } else {
    const { statusText } = await import("../render/status_text.ts");
    io.stdout(statusText(report, { width: io.columns }));
  }
  return exitCode.ok;
}

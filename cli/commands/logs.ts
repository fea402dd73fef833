import { join } from "node:path";
import { dataFiles } from "../../core/control/types.ts";
import { PulseError } from "../../core/errors/mod.ts";
import { escapeText } from "../../core/log/escape_text.ts";
import type { LogsCommand } from "../command_line/command.ts";
import { dataDirOf } from "../context.ts";
import { exitCode } from "../exit_code.ts";
import type { CliIo } from "../io.ts";
import { follow } from "../log_view/follow.ts";
import { readTail } from "../log_view/read_tail.ts";
import { showLine } from "../log_view/show_line.ts";

/** The end of the node's log, running or not, and with `-f` what comes after. */
export async function logs(command: LogsCommand, io: CliIo): Promise<number> {
  const path = join(dataDirOf(command, io), dataFiles.log);
  const tail = await readTail(path, command.lines);
  if (tail.inode === null && !command.follow) {
    throw new PulseError(
      "LOG_NONE",
      `There is no log at ${path}: no node has run there yet, or --data-dir points elsewhere`,
      { path },
    );
  }
  const missing = command.lines - tail.lines.length;
  const older = missing > 0 ? (await readTail(`${path}.1`, missing)).lines : [];
  const show = (line: string) =>
    io.stdout(`${command.json ? escapeText(line) : showLine(line, io.stdoutIsTerminal)}\n`);
  for (const line of [...older, ...tail.lines]) show(line);
  if (command.follow) {
    await follow({
      path,
      offset: tail.offset,
      inode: tail.inode,
      signal: io.interrupted(),
      line: show,
    });
  }
  return exitCode.ok;
}

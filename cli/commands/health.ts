import { escapeText } from "../../core/log/escape_text.ts";
import type { HealthReport } from "../../core/control/types.ts";
import type { HealthCommand } from "../command_line/command.ts";
import { printJson, withClient } from "../context.ts";
import { exitCode } from "../exit_code.ts";
import type { CliIo } from "../io.ts";

/** Whether the node does its work, and why not or for how much longer. Exit code 1 when something fails. */
export async function health(command: HealthCommand, io: CliIo): Promise<number> {
  const report = await withClient(command, io, (client) => client.health());
  if (command.json) printJson(io, report);
  else io.stdout(healthText(report));
  return report.ok ? exitCode.ok : exitCode.failed;
}

/** The verdict, its reasons, and every part. */
export function healthText({ status, reasons, checks }: HealthReport): string {
  const lines = [
    status,
    ...reasons.map(({ severity, text, code }) => `${severity}: ${text} [${code}]`),
    ...checks.map(({ name, ok, detail }) => `${ok ? "ok" : "FAILS"}  ${name}: ${detail}`),
  ];
  return `${lines.map(escapeText).join("\n")}\n`;
}

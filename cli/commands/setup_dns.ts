import { resolve } from "node:path";
import { parseHostPort } from "../../core/address/mod.ts";
import { defaultDnsListen, parseDnsListen } from "../../core/config/dns_settings.ts";
import { escapeText } from "../../core/log/escape_text.ts";
import type { SetupDnsCommand } from "../command_line/command.ts";
import { dataDirOf, printJson } from "../context.ts";
import { setUp, type SetupReport, undo } from "../dns_setup/apply.ts";
import { exitCode } from "../exit_code.ts";
import type { CliIo } from "../io.ts";

/** Makes this machine's own resolver ask pulse about `.pulse` names, or takes that back. */
export async function setupDns(command: SetupDnsCommand, io: CliIo): Promise<number> {
  const options = {
    dataDir: dataDirOf(command, io),
    root: command.root === undefined ? "/" : resolve(io.cwd, command.root),
    dryRun: command.dryRun,
    run: runProgram,
  };
  const listen = parseHostPort(parseDnsListen(command.listen ?? defaultDnsListen));
  const report = command.undo ? await undo(options) : await setUp(listen, options);
  if (command.json) printJson(io, report);
  else io.stdout(reportText(report, options.root));
  return exitCode.ok;
}

function reportText({ resolver, files, reload, dryRun }: SetupReport, root: string): string {
  const verbs = dryRun
    ? {
      create: "would make",
      change: "would change",
      restore: "would restore",
      remove: "would remove",
    }
    : { create: "made", change: "changed", restore: "restored", remove: "removed" };
  const lines = [`DNS of this machine: ${resolver}`];
  for (const { path, action, content } of files) {
    if (action === "left") lines.push(`left ${path}: it was changed by somebody else meanwhile`);
    else lines.push(`${verbs[action]} ${path}${content === undefined ? "" : ":"}`);
    for (const line of content?.trimEnd().split("\n") ?? []) lines.push(`    ${line}`);
  }
  if (files.length === 0) lines.push("every file is as it was");
  if (reload.length > 0) {
    const ran = dryRun ? "would run" : root === "/" ? "ran" : "to be run there:";
    lines.push(`${ran} ${reload.join(" ")}`);
  }
  return lines.map((line) => `${escapeText(line)}\n`).join("");
}

async function runProgram([program = "", ...args]: readonly string[]): Promise<void> {
  const { code, stderr } = await new Deno.Command(program, { args, stdin: "null" }).output();
  if (code !== 0) throw new Error(new TextDecoder().decode(stderr).slice(0, 1_000));
}

import { join } from "node:path";
import { lockDataDir } from "../../core/control/data_dir_lock.ts";
import { AlreadyRunningError } from "../../core/control/errors.ts";
import { errorText } from "../../core/errors/mod.ts";
import { escapeText } from "../../core/log/escape_text.ts";
import { missingForPackets, nativeFacts } from "../../ffi/mod.ts";
import { describeEntry } from "../../plugins/exit/host_changes/describe_entry.ts";
import { leftovers } from "../../plugins/exit/host_changes/leftovers.ts";
import type { DoctorCommand } from "../command_line/command.ts";
import { dataDirOf, printJson } from "../context.ts";
import { exitCode } from "../exit_code.ts";
import type { CliIo } from "../io.ts";

/** What the doctor found. */
interface Findings {
  /** A node that runs here undoes its own changes. */
  readonly running: boolean;
  /** What a node that was killed has left changed. */
  readonly left: readonly string[];
  readonly undone: number;
  readonly failures: readonly string[];
  /** What is missing here for packets, a line each. */
  readonly packets: readonly string[];
}

/** Looks at this machine: what a killed node has left behind, undone on demand, and what is missing for packets. */
export async function doctor(command: DoctorCommand, io: CliIo): Promise<number> {
  const findings = await examine(dataDirOf(command, io), command.fix);
  if (command.json) printJson(io, findings);
  else io.stdout(findingsText(findings));
  return findings.left.length === 0 ? exitCode.ok : exitCode.failed;
}

async function examine(dataDir: string, fix: boolean): Promise<Findings> {
  const packets = missingForPackets(nativeFacts());
  const well = { running: false, left: [], undone: 0, failures: [], packets };
  // Without the directory there has been no node, and looking makes none.
  if (await Deno.stat(dataDir).catch(() => undefined) === undefined) return well;
  try {
    await using _lock = await lockDataDir(dataDir);
    const { found, entries, failures } = leftovers(join(dataDir, "exit"), { undo: fix });
    return {
      ...well,
      left: entries.map(describeEntry),
      undone: found.length - entries.length,
      failures: failures.map(errorText),
    };
  } catch (error) {
    if (!(error instanceof AlreadyRunningError)) throw error;
    return { ...well, running: true };
  }
}

function findingsText({ running, left, undone, failures, packets }: Findings): string {
  const lines: string[] = [];
  if (running) lines.push("a node runs here: it undoes its own changes when it stops");
  else if (undone > 0) lines.push(`undone: ${undone} changes that a killed node had left`);
  else if (left.length === 0) lines.push("nothing on this machine is left changed");
  if (left.length > 0) {
    lines.push("a node that was killed has left changed:");
    lines.push(...left.map((text) => `    ${text}`));
    if (failures.length === 0) lines.push(`"pulse doctor --fix" undoes it, and so does a start`);
  }
  lines.push(...failures.map((text) => `cannot be undone: ${text}`));
  lines.push(...packets.map((text) => `packets: ${text}`));
  return lines.map((line) => `${escapeText(line)}\n`).join("");
}

import { auditSchema, auditVerdictSchema, maxPage } from "../../core/control/history_schema.ts";
import type { ControlClient } from "../../core/control/client.ts";
import { PulseError } from "../../core/errors/mod.ts";
import type { AuditEntry, AuditVerdict } from "../../core/history/types.ts";
import { escapeText } from "../../core/log/escape_text.ts";
import type { AuditCommand } from "../command_line/command.ts";
import { printJson, withClient } from "../context.ts";
import { exitCode } from "../exit_code.ts";
import type { CliIo } from "../io.ts";

/** Who changed what, oldest first. With `--verify` (or as `audit verify`) exit code 1 when the chain is broken. */
export async function audit(command: AuditCommand, io: CliIo): Promise<number> {
  const { entries, verdict } = await withClient(command, io, async (client) => ({
    entries: await newest(client, command.lines),
    verdict: command.verify
      ? auditVerdictSchema.parse(await client.request("GET", "/api/audit/verify"))
      : null,
  }));
  if (command.json) printJson(io, { entries, verdict });
  else for (const entry of entries) io.stdout(`${entryText(entry)}\n`);
  if (verdict !== null) tellVerdict(verdict, command.json, io);
  return exitCode.ok;
}

async function newest(client: ControlClient, count: number): Promise<AuditEntry[]> {
  const found: AuditEntry[] = [];
  const query = new URLSearchParams();
  while (found.length < count) {
    query.set("limit", String(Math.min(maxPage, count - found.length)));
    const page = auditSchema.parse(await client.request("GET", `/api/audit?${query}`));
    found.push(...page.entries);
    if (page.next === null) break;
    query.set("cursor", page.next);
  }
  return found.reverse();
}

function tellVerdict(verdict: AuditVerdict, json: boolean, io: CliIo): void {
  const { entries, first, brokenAt, reason, head } = verdict;
  if (brokenAt !== null) {
    throw new PulseError(
      "AUDIT_BROKEN",
      `The audit log does not hold at entry ${brokenAt}: ${reason}. It was changed, or its disk has failed`,
      { brokenAt },
    );
  }
  if (json) return;
  const range = entries === 0 ? "" : `, ${first} to ${first + entries - 1}`;
  io.stdout(`all ${entries} entries in order${range}; head ${head}\n`);
}

function entryText({ seq, at, type, fields }: AuditEntry): string {
  const { by, from, method, path, status, ...rest } = fields;
  const who = [by, from].filter((word) => word !== undefined).join(" from ");
  const what = [method, path].filter((word) => word !== undefined).join(" ");
  const outcome = status === undefined ? "" : `-> ${status}`;
  const details = Object.entries(rest).filter(([, value]) => value !== null)
    .map(([key, value]) => `${key}=${typeof value === "string" ? value : JSON.stringify(value)}`);
  const words = [String(seq), at, type, who, what, outcome, ...details];
  return escapeText(words.filter((word) => word !== "").join(" "));
}

import { z } from "zod";
import { apiKeySchema, apiKeysSchema, newApiKeySchema } from "../../core/control/schema.ts";
import type {
  ApiKeyCreateCommand,
  ApiKeyListCommand,
  ApiKeyRevokeCommand,
  ApiKeyRotateCommand,
} from "../command_line/command.ts";
import { printJson, withClient } from "../context.ts";
import { exitCode } from "../exit_code.ts";
import type { CliIo } from "../io.ts";
import { parseDuration } from "../parse_duration.ts";
import { formatDuration } from "../render/duration.ts";
import { renderTable } from "../render/table.ts";

const path = "/api/api-keys";

/** Prints the new key: the only time anybody sees it. */
export async function apiKeyCreate(command: ApiKeyCreateCommand, io: CliIo): Promise<number> {
  const { name, readOnly } = command;
  const body = { name: name ?? "", role: readOnly ? "read" : "admin" };
  const answer = await withClient(command, io, (client) => client.request("POST", path, body));
  return showNew(command, io, answer);
}

export async function apiKeyRotate(command: ApiKeyRotateCommand, io: CliIo): Promise<number> {
  const overlapSeconds = command.overlap === "forever" ? null : parseDuration(command.overlap);
  const answer = await withClient(
    command,
    io,
    (client) => client.request("POST", `${pathOf(command.id)}/rotate`, { overlapSeconds }),
  );
  return showNew(command, io, answer);
}

export async function apiKeyList(command: ApiKeyListCommand, io: CliIo): Promise<number> {
  const answer = await withClient(command, io, (client) => client.request("GET", path));
  if (command.json) {
    printJson(io, answer);
    return exitCode.ok;
  }
  const { keys } = apiKeysSchema.parse(answer);
  if (keys.length === 0) {
    io.stdout("no API keys; make one with: pulse api-key create\n");
    return exitCode.ok;
  }
  const now = Date.now();
  const lines = renderTable(
    [
      { title: "ID" },
      { title: "ROLE" },
      { title: "NAME" },
      { title: "LAST USED" },
      { title: "ENDS" },
      { title: "CREATED", dispensable: 1 },
    ],
    keys.map((key) => [
      key.id,
      key.role,
      key.name || "-",
      key.lastUsedAt === null ? "-" : `${formatDuration(secondsTo(now, key.lastUsedAt))} ago`,
      key.endsAt === null ? "-" : `in ${formatDuration(-secondsTo(now, key.endsAt))}`,
      key.createdAt,
    ]),
    { width: io.columns },
  );
  io.stdout(`${lines.join("\n")}\n`);
  return exitCode.ok;
}

export async function apiKeyRevoke(command: ApiKeyRevokeCommand, io: CliIo): Promise<number> {
  const answer = await withClient(
    command,
    io,
    (client) => client.request("DELETE", pathOf(command.id)),
  );
  if (command.json) printJson(io, answer);
  else io.stdout(`API key ${apiKeySchema.parse(answer).id} revoked\n`);
  return exitCode.ok;
}

function showNew(command: { readonly json: boolean }, io: CliIo, answer: unknown): number {
  const made: z.infer<typeof newApiKeySchema> = newApiKeySchema.parse(answer);
  if (command.json) printJson(io, made);
  else {
    io.stdout(`${made.key}\n`);
    const what = made.role === "read" ? "may look" : "may do everything";
    io.stderr(`API key ${made.id} ${what}; it is not shown again\n`);
  }
  return exitCode.ok;
}

function pathOf(id: string): string {
  return `${path}/${encodeURIComponent(id)}`;
}

function secondsTo(now: number, time: string): number {
  return (now - Date.parse(time)) / 1000;
}

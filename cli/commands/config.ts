import { z } from "zod";
import { escapeText } from "../../core/log/escape_text.ts";
import type {
  ConfigCommand,
  ConfigDiffCommand,
  ConfigHistoryCommand,
  ConfigShowCommand,
} from "../command_line/control_command.ts";
import { printJson } from "../context.ts";
import { exitCode } from "../exit_code.ts";
import type { CliIo } from "../io.ts";
import { renderTable } from "../render/table.ts";
import { scribeRequest } from "../plugin_request.ts";
import { change } from "./change.ts";

const list = z.array(z.unknown());
const showSchema = z.object({
  epoch: z.number(),
  version: z.number(),
  author: z.string(),
  createdAt: z.string(),
  note: z.string(),
  scribe: z.boolean(),
  body: z.object({
    meshCidr: z.string(),
    nodes: z.record(z.string(), z.unknown()),
    dns: list,
    acls: list,
    aclAssertions: list,
    revoked: list,
    tokens: list,
    routes: list,
    templates: z.record(z.string(), z.unknown()),
  }),
});
const historySchema = z.object({
  entries: z.array(z.object({
    version: z.string(),
    at: z.string(),
    by: z.string(),
    author: z.string(),
    note: z.string(),
  })),
});
const diffSchema = z.object({
  changes: z.array(z.object({ what: z.string(), before: z.json(), after: z.json() })),
});

/** The network config as a whole. */
export async function config(command: ConfigCommand, io: CliIo): Promise<number> {
  switch (command.command) {
    case "config show":
      return await show(command, io);
    case "config history":
      return await history(command, io);
    case "config diff":
      return await diff(command, io);
    case "config mesh-cidr":
      return await change(command, io, "PUT", "/api/mesh-cidr", { meshCidr: command.cidr });
    case "config rollback": {
      const { version, force } = command;
      return await change(command, io, "POST", "/api/config/rollback", { version, force });
    }
  }
}

async function show(command: ConfigShowCommand, io: CliIo): Promise<number> {
  const answer = await scribeRequest(command, io, "GET", "/api/config");
  if (command.json) {
    printJson(io, answer);
    return exitCode.ok;
  }
  const { epoch, version, author, createdAt, note, scribe, body } = showSchema.parse(answer);
  const role = scribe ? " (this node is the scribe)" : "";
  const made = version === 0
    ? [["Version", `none yet${role}`]]
    : [["Version", `${epoch}.${version}`], ["Author", `${author}${role}`], [
      "Made",
      `${createdAt}: ${note}`,
    ]];
  const lines = [
    ...made,
    ["Mesh CIDR", body.meshCidr],
    ["Nodes", String(Object.keys(body.nodes).length)],
    ["DNS records", String(body.dns.length)],
    ["Rules", `${body.acls.length}, ${body.aclAssertions.length} expectations`],
    ["Revoked", String(body.revoked.length)],
    ["Tokens", String(body.tokens.length)],
    ["Routes", String(body.routes.length)],
    ["Templates", String(Object.keys(body.templates).length)],
  ];
  const text = lines.map(([title = "", value = ""]) => escapeText(`${title.padEnd(12)} ${value}`));
  io.stdout(`${text.join("\n")}\n`);
  return exitCode.ok;
}

async function history(command: ConfigHistoryCommand, io: CliIo): Promise<number> {
  const path = `/api/config/history?limit=${command.lines}`;
  const answer = await scribeRequest(command, io, "GET", path);
  if (command.json) {
    printJson(io, answer);
    return exitCode.ok;
  }
  const { entries } = historySchema.parse(answer);
  if (entries.length === 0) {
    io.stdout("no versions: nothing has been changed yet\n");
    return exitCode.ok;
  }
  const lines = renderTable(
    [
      { title: "VERSION" },
      { title: "AT" },
      { title: "BY", dispensable: 1 },
      { title: "WHAT", shrinkTo: 20 },
    ],
    entries.map(({ version, at, by, author, note }) => [
      version,
      at,
      by === "" ? `scribe ${author.slice(0, 8)}` : by,
      note,
    ]),
    { width: io.columns },
  );
  io.stdout(`${lines.join("\n")}\n`);
  return exitCode.ok;
}

async function diff(command: ConfigDiffCommand, io: CliIo): Promise<number> {
  const { from, to } = command;
  const query = new URLSearchParams({ from, ...(to === undefined ? {} : { to }) });
  const answer = await scribeRequest(command, io, "GET", `/api/config/diff?${query}`);
  if (command.json) {
    printJson(io, answer);
    return exitCode.ok;
  }
  const { changes } = diffSchema.parse(answer);
  const lines = changes.flatMap(({ what, before, after }) => [
    what,
    ...(before === null ? [] : [`  - ${JSON.stringify(before)}`]),
    ...(after === null ? [] : [`  + ${JSON.stringify(after)}`]),
  ]);
  const text = lines.length === 0 ? ["no difference"] : lines.map(escapeText);
  io.stdout(`${text.join("\n")}\n`);
  return exitCode.ok;
}

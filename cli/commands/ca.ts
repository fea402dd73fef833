import { z } from "zod";
import { PulseError } from "../../core/errors/mod.ts";
import { escapeText } from "../../core/log/escape_text.ts";
import { renderTable } from "../render/table.ts";
import { compactBody } from "../compact_body.ts";
import { caRequest } from "../plugin_request.ts";
import type {
  CaLogCommand,
  CaNodesCommand,
  CaRevokeCommand,
  CaRolesCommand,
} from "../command_line/command.ts";
import { printJson } from "../context.ts";
import { exitCode } from "../exit_code.ts";
import type { CliIo } from "../io.ts";

const entrySchema = z.object({
  seq: z.number(),
  at: z.string(),
  type: z.string(),
  fields: z.record(z.string(), z.unknown()),
});
const logSchema = z.object({
  entries: z.array(entrySchema),
  head: z.string(),
  verdict: z.object({
    entries: z.number(),
    brokenAt: z.number().nullable(),
    reason: z.string().nullable(),
  }).nullable(),
});

/** Most entries the CA gives at once. */
const pageSize = 1_000;

/** The audit log, oldest first. With `--verify`, exit code 1 when the chain is broken. */
export async function caLog(command: CaLogCommand, io: CliIo): Promise<number> {
  const entries: z.infer<typeof entrySchema>[] = [];
  let head = "";
  let verdict: z.infer<typeof logSchema>["verdict"] = null;
  while (entries.length < command.lines) {
    const limit = Math.min(pageSize, command.lines - entries.length);
    const query = new URLSearchParams({ limit: String(limit) });
    const oldest = entries.at(-1);
    if (oldest !== undefined) query.set("before", String(oldest.seq));
    else if (command.verify) query.set("verify", "true");
    const page = logSchema.parse(await caRequest(command, io, "GET", `/api/ca/log?${query}`));
    if (oldest === undefined) ({ head, verdict } = page);
    entries.push(...page.entries);
    if (page.entries.length < limit) break;
  }
  entries.reverse();
  if (command.json) printJson(io, { entries, head, verdict });
  else io.stdout(logText(entries, head));
  if (verdict !== null && verdict.brokenAt !== null) {
    throw new PulseError(
      "CA_LOG_BROKEN",
      `The audit log does not hold at entry ${verdict.brokenAt}: ${verdict.reason}. Somebody changed it`,
      { brokenAt: verdict.brokenAt },
    );
  }
  if (verdict !== null && !command.json) {
    io.stdout(`all ${verdict.entries} entries in order\n`);
  }
  return exitCode.ok;
}

function logText(entries: readonly z.infer<typeof entrySchema>[], head: string): string {
  const lines = entries.map(({ seq, at, type, fields }) => {
    const details = Object.entries(fields).map(([key, value]) =>
      `${key}=${typeof value === "string" ? value : JSON.stringify(value)}`
    );
    return escapeText([String(seq).padStart(5), at, type, ...details].join(" "));
  });
  return `${[...lines, `head ${escapeText(head)}`].join("\n")}\n`;
}

const nodesSchema = z.object({
  nodes: z.array(z.object({
    id: z.string(),
    meshAddresses: z.array(z.string()),
    roles: z.array(z.string()),
    issuedAt: z.string(),
    notAfter: z.string(),
    revokedAt: z.string().nullable(),
  })),
});

/** Every node that has a certificate from this CA. */
export async function caNodes(command: CaNodesCommand, io: CliIo): Promise<number> {
  const answer = await caRequest(command, io, "GET", "/api/ca/nodes");
  if (command.json) {
    printJson(io, answer);
    return exitCode.ok;
  }
  const { nodes } = nodesSchema.parse(answer);
  const lines = renderTable(
    [
      { title: "NODE ID" },
      { title: "MESH IP" },
      { title: "STATUS" },
      { title: "ROLES", dispensable: 1 },
      { title: "NOT AFTER", dispensable: 2 },
    ],
    nodes.map((node) => [
      node.id,
      node.meshAddresses[0] ?? "-",
      node.revokedAt === null ? "certified" : "revoked",
      node.roles.join(" ") || "-",
      node.notAfter,
    ]),
    { width: io.columns },
  );
  io.stdout(`${lines.join("\n")}\n`);
  return exitCode.ok;
}

/** No certificate for this node any more. */
export async function caRevoke(command: CaRevokeCommand, io: CliIo): Promise<number> {
  const { node, reason } = command;
  const answer = await caRequest(
    command,
    io,
    "POST",
    "/api/ca/revoke",
    compactBody({ node, reason }),
  );
  if (command.json) {
    printJson(io, answer);
    return exitCode.ok;
  }
  const result = z.object({ node: z.string(), alreadyRevoked: z.boolean() }).parse(answer);
  io.stdout(`node ${result.node} ${result.alreadyRevoked ? "was revoked already" : "revoked"}\n`);
  return exitCode.ok;
}

/** Roles take effect with the node's next certificate. */
export async function caRoles(command: CaRolesCommand, io: CliIo): Promise<number> {
  const { node, roles } = command;
  const answer = await caRequest(command, io, "POST", "/api/ca/roles", { node, roles });
  if (command.json) {
    printJson(io, answer);
    return exitCode.ok;
  }
  const result = z.object({ node: z.string(), roles: z.array(z.string()) }).parse(answer);
  io.stdout(
    `node ${result.node} gets with its next certificate: ${result.roles.join(" ") || "no roles"}\n`,
  );
  return exitCode.ok;
}

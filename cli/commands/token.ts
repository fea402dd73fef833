import { z } from "zod";
import { formatDuration } from "../render/duration.ts";
import { renderTable } from "../render/table.ts";
import { compactBody } from "../compact_body.ts";
import type {
  TokenCreateCommand,
  TokenListCommand,
  TokenRevokeCommand,
} from "../command_line/command.ts";
import { printJson } from "../context.ts";
import { exitCode } from "../exit_code.ts";
import type { CliIo } from "../io.ts";
import { requestList, tokenRequest } from "../plugin_request.ts";

const tokenSchema = z.object({
  id: z.string(),
  status: z.string(),
  createdAt: z.string(),
  expiresAt: z.string().nullable(),
  maxUses: z.number(),
  /** Counted by the CA; missing when the scribe cannot ask it. */
  uses: z.number().optional(),
  roles: z.array(z.string()),
  tags: z.array(z.string()).default([]),
  name: z.string().nullable().default(null),
  ephemeralSeconds: z.number().nullable().default(null),
  master: z.boolean().default(false),
});

type Token = z.infer<typeof tokenSchema>;

/** Prints the new token: the only time anybody sees it. */
export async function tokenCreate(command: TokenCreateCommand, io: CliIo): Promise<number> {
  const { ttl, maxUses, roles, tags, name, ephemeral } = command;
  const some = (list: readonly string[]) => list.length === 0 ? undefined : list;
  const body = compactBody({ ttl, maxUses, roles: some(roles), tags: some(tags), name, ephemeral });
  const answer = await tokenRequest(command, io, "POST", "/api/tokens", body);
  if (command.json) {
    printJson(io, answer);
    return exitCode.ok;
  }
  const made = tokenSchema.extend({ token: z.string(), knownToCa: z.boolean().default(true) })
    .parse(answer);
  io.stdout(`${made.token}\n`);
  const until = made.expiresAt === null ? "never expires" : `expires ${made.expiresAt}`;
  io.stderr(`token ${made.id}: ${usesText(made)}, ${until}; it is not shown again\n`);
  if (!made.knownToCa) {
    io.stderr("the CA has not confirmed it yet: nodes can join once the config has reached it\n");
  }
  return exitCode.ok;
}

/** The network's tokens and, on the CA, its own too. */
export async function tokenList(command: TokenListCommand, io: CliIo): Promise<number> {
  const found = await requestList(tokenRequest, command, io, "/api/tokens", "tokens");
  if (command.json) {
    printJson(io, { tokens: found });
    return exitCode.ok;
  }
  const tokens = z.array(tokenSchema).parse(found);
  if (tokens.length === 0) {
    io.stdout("no join tokens; make one with: pulse token create, or pulse invite\n");
    return exitCode.ok;
  }
  io.stdout(`${tokenTable(tokens, Date.now(), io.columns).join("\n")}\n`);
  return exitCode.ok;
}

export async function tokenRevoke(command: TokenRevokeCommand, io: CliIo): Promise<number> {
  const path = `/api/tokens/${encodeURIComponent(command.id)}`;
  const answer = await tokenRequest(command, io, "DELETE", path);
  if (command.json) printJson(io, answer);
  else io.stdout(`token ${z.object({ id: z.string() }).parse(answer).id} revoked\n`);
  return exitCode.ok;
}

function tokenTable(tokens: readonly Token[], now: number, width: number | undefined): string[] {
  return renderTable(
    [
      { title: "ID" },
      { title: "STATUS" },
      { title: "USED", align: "right" },
      { title: "EXPIRES" },
      { title: "GIVES", dispensable: 1 },
      { title: "CREATED", dispensable: 2 },
    ],
    tokens.map((token) => [
      token.id,
      token.status,
      `${token.uses ?? "?"}${token.maxUses === 0 ? "" : `/${token.maxUses}`}`,
      expiryText(token, now),
      token.master ? "(master)" : givesText(token) || "-",
      token.createdAt,
    ]),
    { width },
  );
}

/** Roles, name and tags of the nodes that join with it. */
function givesText({ roles, name, tags, ephemeralSeconds }: Token): string {
  return [
    ...roles,
    ...(name === null ? [] : [`name:${name}`]),
    ...tags.map((tag) => `tag:${tag}`),
    ...(ephemeralSeconds === null ? [] : [`ephemeral:${formatDuration(ephemeralSeconds)}`]),
  ].join(" ");
}

function usesText({ maxUses }: Token): string {
  if (maxUses === 0) return "any number of nodes";
  return maxUses === 1 ? "one node" : `${maxUses} nodes`;
}

function expiryText({ expiresAt }: Token, now: number): string {
  if (expiresAt === null) return "never";
  const left = (Date.parse(expiresAt) - now) / 1000;
  return left > 0 ? `in ${formatDuration(left)}` : `${formatDuration(-left)} ago`;
}

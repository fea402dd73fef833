import { z } from "zod";
import { formatDuration } from "../render/duration.ts";
import { renderTable } from "../render/table.ts";
import { caRequest, compactBody } from "../ca_request.ts";
import type {
  TokenCreateCommand,
  TokenListCommand,
  TokenRevokeCommand,
} from "../command_line/command.ts";
import { printJson } from "../context.ts";
import { exitCode } from "../exit_code.ts";
import type { CliIo } from "../io.ts";

const tokenSchema = z.object({
  id: z.string(),
  status: z.string(),
  createdAt: z.string(),
  expiresAt: z.string().nullable(),
  maxUses: z.number(),
  uses: z.number(),
  roles: z.array(z.string()),
  master: z.boolean(),
});

type Token = z.infer<typeof tokenSchema>;

/** Prints the new token: the only time anybody sees it. */
export async function tokenCreate(command: TokenCreateCommand, io: CliIo): Promise<number> {
  const { ttl, maxUses, roles } = command;
  const body = compactBody({ ttl, maxUses, roles: roles.length === 0 ? undefined : roles });
  const answer = await caRequest(command, io, "POST", "/api/tokens", body);
  if (command.json) {
    printJson(io, answer);
    return exitCode.ok;
  }
  const made = tokenSchema.extend({ token: z.string() }).parse(answer);
  io.stdout(`${made.token}\n`);
  const until = made.expiresAt === null ? "never expires" : `expires ${made.expiresAt}`;
  io.stderr(`token ${made.id}: ${usesText(made)}, ${until}; it is not shown again\n`);
  return exitCode.ok;
}

export async function tokenList(command: TokenListCommand, io: CliIo): Promise<number> {
  const answer = await caRequest(command, io, "GET", "/api/tokens");
  if (command.json) {
    printJson(io, answer);
    return exitCode.ok;
  }
  const { tokens } = z.object({ tokens: z.array(tokenSchema) }).parse(answer);
  if (tokens.length === 0) {
    io.stdout("no join tokens; make one with: pulse token create, or pulse invite\n");
    return exitCode.ok;
  }
  const now = Date.now();
  const lines = renderTable(
    [
      { title: "ID" },
      { title: "STATUS" },
      { title: "USED", align: "right" },
      { title: "EXPIRES" },
      { title: "ROLES", dispensable: 1 },
      { title: "CREATED", dispensable: 2 },
    ],
    tokens.map((token) => [
      token.id,
      token.status,
      token.maxUses === 0 ? `${token.uses}` : `${token.uses}/${token.maxUses}`,
      expiryText(token, now),
      token.master ? "(master)" : token.roles.join(" ") || "-",
      token.createdAt,
    ]),
    { width: io.columns },
  );
  io.stdout(`${lines.join("\n")}\n`);
  return exitCode.ok;
}

export async function tokenRevoke(command: TokenRevokeCommand, io: CliIo): Promise<number> {
  const path = `/api/tokens/${encodeURIComponent(command.id)}`;
  const answer = await caRequest(command, io, "DELETE", path);
  if (command.json) printJson(io, answer);
  else io.stdout(`token ${tokenSchema.parse(answer).id} revoked\n`);
  return exitCode.ok;
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

import { z } from "zod";
import { formatDuration } from "../render/duration.ts";
import { renderTable } from "../render/table.ts";
import { errorCode } from "../../core/errors/mod.ts";
import type { Json } from "../../core/plugin/types.ts";
import { caRequest, compactBody } from "../ca_request.ts";
import type {
  TokenCreateCommand,
  TokenListCommand,
  TokenRevokeCommand,
} from "../command_line/command.ts";
import { printJson } from "../context.ts";
import { exitCode } from "../exit_code.ts";
import type { CliIo } from "../io.ts";
import { scribeList, scribeRequest } from "../scribe_request.ts";

const tokenSchema = z.object({
  id: z.string(),
  status: z.string(),
  createdAt: z.string(),
  expiresAt: z.string().nullable(),
  maxUses: z.number(),
  /** Counted by the CA; the scribe alone does not know. */
  uses: z.number().optional(),
  roles: z.array(z.string()),
  tags: z.array(z.string()).default([]),
  name: z.string().nullable().default(null),
  ephemeralSeconds: z.number().nullable().default(null),
  master: z.boolean().default(false),
});
const listSchema = z.object({ tokens: z.array(tokenSchema) });

type Token = z.infer<typeof tokenSchema>;

/** Answers of a node that cannot speak for the network: then the CA's own tokens are meant. */
const notTheScribe: ReadonlySet<string> = new Set(["NOT_SCRIBE", "NETCONFIG_NOT_SCRIBE"]);

/** Prints the new token: the only time anybody sees it. */
export async function tokenCreate(command: TokenCreateCommand, io: CliIo): Promise<number> {
  const { ttl, maxUses, roles, tags, name, ephemeral } = command;
  const some = (list: readonly string[]) => list.length === 0 ? undefined : list;
  const plain = { ttl, maxUses, roles: some(roles) };
  const promises = { tags: some(tags), name, ephemeral };
  const body = compactBody({ ...plain, ...promises });
  const promised = Object.values(promises).some((value) => value !== undefined);
  const answer = await atScribe(
    () => scribeRequest(command, io, "POST", "/api/scribe/tokens", body),
    // Only the scribe gives nodes names and tags.
    promised ? undefined : () => caRequest(command, io, "POST", "/api/tokens", compactBody(plain)),
  );
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

/** The network's tokens and, on the CA, its own too. */
export async function tokenList(command: TokenListCommand, io: CliIo): Promise<number> {
  const ofNetwork = await atScribe(
    async () => ({ tokens: await scribeList(command, io, "/api/scribe/tokens", "tokens") }),
    () => Promise.resolve(null),
  );
  const ofCa = await atScribe(
    () => caRequest(command, io, "GET", "/api/tokens"),
    ofNetwork === null ? undefined : () => Promise.resolve({ tokens: [] }),
    new Set(["NOT_CA"]),
  );
  const tokens = mergeTokens(
    ofNetwork === null ? [] : listSchema.parse(ofNetwork).tokens,
    listSchema.parse(ofCa).tokens,
  );
  if (command.json) {
    printJson(io, { tokens });
    return exitCode.ok;
  }
  if (tokens.length === 0) {
    io.stdout("no join tokens; make one with: pulse token create, or pulse invite\n");
    return exitCode.ok;
  }
  io.stdout(`${tokenTable(tokens, Date.now(), io.columns).join("\n")}\n`);
  return exitCode.ok;
}

export async function tokenRevoke(command: TokenRevokeCommand, io: CliIo): Promise<number> {
  const id = encodeURIComponent(command.id);
  const answer = await atScribe(
    () => scribeRequest(command, io, "DELETE", `/api/scribe/tokens/${id}`),
    () => caRequest(command, io, "DELETE", `/api/tokens/${id}`),
    new Set([...notTheScribe, "TOKEN_UNKNOWN"]),
  );
  if (command.json) printJson(io, answer);
  else io.stdout(`token ${z.object({ id: z.string() }).parse(answer).id} revoked\n`);
  return exitCode.ok;
}

/** Asks the one, and if it is not the one to ask, the other. */
async function atScribe(
  ask: () => Promise<Json>,
  otherwise: (() => Promise<Json>) | undefined,
  codes: ReadonlySet<string> = notTheScribe,
): Promise<Json> {
  try {
    return await ask();
  } catch (error) {
    if (otherwise === undefined || !codes.has(errorCode(error))) throw error;
    return await otherwise();
  }
}

/** The CA knows the uses of a token, the scribe what it promises. */
export function mergeTokens(ofNetwork: readonly Token[], ofCa: readonly Token[]): Token[] {
  const counted = new Map(ofCa.map((token) => [token.id, token]));
  const known = new Set(ofNetwork.map(({ id }) => id));
  return [
    ...ofNetwork.map((token) => {
      const { status = token.status, uses } = counted.get(token.id) ?? {};
      return { ...token, status, ...(uses !== undefined && { uses }) };
    }),
    ...ofCa.filter(({ id }) => !known.has(id)),
  ];
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

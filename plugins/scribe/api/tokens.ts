import { z } from "zod";
import { generateJoinToken, joinTokenId, joinTokenKey } from "../../../core/identity/mod.ts";
import type { ConfigBody, TokenEntry } from "../../../core/netconfig/types.ts";
import type { Json, PluginApiRequest, PluginApiRoute } from "../../../core/plugin/types.ts";
import { addToken } from "../changes/add_token.ts";
import { revokeToken } from "../changes/revoke_token.ts";
import { parseDuration } from "../duration.ts";
import { parseRequest } from "../request.ts";
import type { Scribe } from "../scribe.ts";
import type { TokenUse, TokenUses } from "../token_uses.ts";
import { changed, conditions, named, pageOf, pageQuery } from "./answers.ts";
import { time } from "./config.ts";
import { adminRoute, readRoute } from "./route.ts";

/** A time to live as `24h`, or in seconds. */
export const span = z.union([z.string().max(20), z.number()]);

/** What a token may promise to the nodes that join with it. */
export const tokenPromises = {
  roles: z.array(z.enum(["scribe", "exit", "relay-only"])).max(3).default([]),
  tags: z.array(z.string().max(63)).max(32).default([]),
  name: z.string().max(63).nullable().default(null),
  /** A node that joins with it is removed when it was gone for so long. */
  ephemeral: span.optional(),
};
/** 0: any number. */
export const maxUses = z.int().min(0).max(1_000_000);

const createRequest = z.strictObject({
  ttl: span.optional(),
  /** Without it, one for a token that gives a name, and any number for others. */
  maxUses: maxUses.optional(),
  ...tokenPromises,
});
const revokeRequest = z.strictObject({ id: z.string().max(64) });

export interface TokenRoutesOptions {
  readonly scribe: Scribe;
  readonly uses: TokenUses;
  readonly now: () => number;
}

const event = (type: string) => ({
  type,
  about: ({ tokens }: ConfigBody): Json => tokens.length,
});

/** Join tokens of the network. One leaves the scribe once, when it is made. */
export function tokenRoutes(options: TokenRoutesOptions): PluginApiRoute[] {
  const { scribe, uses, now } = options;
  const revoke = async (request: PluginApiRequest, id: string) => {
    const outcome = await scribe.change(
      revokeToken,
      { id },
      event("token_revoked"),
      conditions(request),
    );
    return changed(outcome, { id: /^token ([0-9a-f]+)/.exec(outcome.note)?.[1] ?? id });
  };
  return [
    readRoute("/scribe/tokens", "List the network's join tokens", async ({ query }) => {
      const current = await scribe.mesh.current();
      const { items, next } = pageOf(current.body.tokens, ({ id }) => id, query);
      const used = items.length === 0 || !current.scribe ? null : await uses.ask();
      const tokens = items.map((token) => tokenJson(token, now(), used?.get(token.id)));
      // No tag: how often one was used is not in the version.
      return { status: 200, body: { tokens, next } };
    }, pageQuery),
    adminRoute("POST", "/scribe/tokens", "Make a join token", async (request) => {
      const { token: made, version } = await mintToken(
        options,
        parseRequest(createRequest, request.body),
        request,
      );
      return { status: 201, body: made, etag: version };
    }, { body: createRequest }),
    adminRoute(
      "DELETE",
      "/scribe/tokens/:id",
      "Withdraw a join token by id or unique prefix",
      (request) => revoke(request, request.params["id"] ?? ""),
      {},
    ),
    adminRoute(
      "DELETE",
      "/scribe/tokens",
      "Withdraw a join token by id or unique prefix",
      (request) => revoke(request, parseRequest(revokeRequest, named(request)).id),
      { query: revokeRequest },
    ),
  ];
}

/** Makes a token and brings it to the CA, which may take a moment. */
export async function mintToken(
  { scribe, uses, now }: TokenRoutesOptions,
  asked: Omit<z.infer<typeof createRequest>, "ttl"> & {
    readonly ttl?: string | number | undefined;
  },
  request: PluginApiRequest,
) {
  const token = generateJoinToken();
  const at = now();
  const entry: TokenEntry = {
    id: joinTokenId(token),
    sealedKey: await scribe.mesh.seal(joinTokenKey(token)),
    createdAt: at,
    expiresAt: asked.ttl === undefined ? null : at + parseDuration(asked.ttl),
    maxUses: asked.maxUses ?? (asked.name === null ? 0 : 1),
    roles: asked.roles,
    tags: [...new Set(asked.tags)].sort(),
    name: asked.name,
    ephemeralMs: asked.ephemeral === undefined ? null : parseDuration(asked.ephemeral),
  };
  const { version } = await scribe.change(
    addToken,
    entry,
    event("token_created"),
    conditions(request),
  );
  const known = await uses.heard(entry.id);
  return { token: { ...tokenJson(entry, at), version, token, knownToCa: known }, version };
}

/** Uses are counted by the CA; without its word they are not there. */
function tokenJson(token: TokenEntry, now: number, use?: TokenUse) {
  const { id, createdAt, expiresAt, maxUses, roles, tags, name, ephemeralMs } = token;
  return {
    id,
    status: use?.status ?? (expiresAt !== null && expiresAt <= now ? "expired" : "valid"),
    ...(use !== undefined && { uses: use.uses }),
    createdAt: time(createdAt),
    expiresAt: expiresAt === null ? null : time(expiresAt),
    maxUses,
    roles,
    tags,
    name,
    ephemeralSeconds: ephemeralMs === null ? null : ephemeralMs / 1000,
  };
}

import { z } from "zod";
import { whoAsks } from "../../core/control/who_asks.ts";
import {
  encodeInvite,
  generateJoinToken,
  joinTokenId,
  joinTokenKey,
  parseNodeId,
  type Role,
} from "../../core/identity/mod.ts";
import { describeSchema } from "../../core/plugin/describe_schema.ts";
import type {
  HostServices,
  Json,
  PluginApiRequest,
  PluginApiResponse,
  PluginApiRoute,
} from "../../core/plugin/types.ts";
import { parseDuration } from "./duration.ts";
import { CaError } from "./errors.ts";
import type { GrantRecord } from "./grant_store.ts";
import type { Granting } from "./granting.ts";
import type { Ledger } from "./ledger.ts";
import type { NodeRecord } from "./node_store.ts";
import { parseRequest } from "./request.ts";
import type { Rolling, RollStatus } from "./rolling.ts";
import type { TokenRecord } from "./token_store.ts";

export interface ApiOptions {
  readonly ledger: Ledger;
  readonly granting: Granting;
  readonly rolling: Rolling;
  readonly network: string;
  readonly host: HostServices;
  readonly now: () => number;
}

/** Roles a person may grant; `ca` is only for the machine the CA runs on. */
const role = z.enum(["scribe", "exit", "relay-only"]);
const ttl = z.union([z.string().max(20), z.number()]).optional();
const maxUses = z.int().min(0).max(1_000_000);

/** The CA writes roles into certificates; names, tags and the like are in the config, which is the scribe's. */
const onlyRoles: z.core.$ZodErrorMap = (issue) =>
  issue.code === "unrecognized_keys"
    ? `the CA does not know ${
      issue.keys.slice(0, 3).join(", ")
    }: tokens that promise names, tags or a time to live come from the scribe`
    : undefined;
const tokenRequest = z.strictObject({
  ttl,
  /** 0 = unlimited */
  maxUses: maxUses.default(0),
  roles: z.array(role).max(3).default([]),
}, { error: onlyRoles });
const inviteRequest = z.strictObject({
  ttl: ttl.default("24h"),
  maxUses: maxUses.default(1),
  network: z.string().optional(),
  roles: z.array(role).max(3).default([]),
  relays: z.array(z.string().max(300)).min(1).max(8).optional(),
}, { error: onlyRoles });
const revokeTokenRequest = z.strictObject({ id: z.string().max(64) });
const revokeRequest = z.strictObject({
  node: z.string().max(64),
  reason: z.string().max(200).default(""),
});
const rolesRequest = z.strictObject({ node: z.string().max(64), roles: z.array(role).max(3) });
const grantRequest = z.strictObject({ scribe: z.string().max(64).nullable() });
const finishRequest = z.strictObject({ force: z.boolean().default(false) });
const logQuery = z.object({
  limit: z.coerce.number().int().min(1).max(1000).default(100),
  before: z.coerce.number().int().min(1).optional(),
  /** Walk the whole chain too: about 4 us an entry. */
  verify: z.enum(["true", "false"]).default("false"),
});

/** The CA's part of the control API. Tokens leave it once, when they are made. */
export function apiRoutes(options: ApiOptions): PluginApiRoute[] {
  const { ledger, granting, rolling, now } = options;
  const revoke = (request: PluginApiRequest, prefix: string): PluginApiResponse => {
    const before = ledger.tokens.list(now()).find(({ id }) => id.startsWith(prefix));
    const after = tokenJson(ledger.revokeToken(prefix, now()));
    changed(
      options,
      request,
      "token_revoked",
      before === undefined ? null : tokenJson(before),
      after,
    );
    return ok(after);
  };
  const route = (
    method: PluginApiRoute["method"],
    path: string,
    summary: string,
    handle: (request: PluginApiRequest) => Promise<PluginApiResponse> | PluginApiResponse,
    takes?: z.ZodType,
  ): PluginApiRoute => ({
    method,
    path,
    summary,
    access: method === "GET" ? "read" : "admin",
    ...(takes !== undefined && { [method === "POST" ? "body" : "query"]: describeSchema(takes) }),
    handle: async (request) => await handle(request),
  });
  return [
    route(
      "GET",
      "/tokens",
      "List join tokens",
      () => ok({ tokens: ledger.tokens.list(now()).map(tokenJson) }),
    ),
    route("POST", "/tokens", "Make a join token", (request) => {
      const { ttl, maxUses, roles } = parseRequest(tokenRequest, request.body);
      const expires = ttl === undefined ? null : now() + parseDuration(ttl);
      return created(makeToken(options, request, expires, maxUses, roles));
    }, tokenRequest),
    route(
      "DELETE",
      "/tokens/:id",
      "Revoke a join token by id or unique prefix",
      (request) => revoke(request, request.params["id"] ?? ""),
    ),
    route(
      "DELETE",
      "/tokens",
      "Revoke a join token by id or unique prefix",
      (request) =>
        revoke(request, parseRequest(revokeTokenRequest, request.body ?? request.query).id),
      revokeTokenRequest,
    ),
    route(
      "POST",
      "/invite",
      "Make an invite code",
      (request) => invite(options, request),
      inviteRequest,
    ),
    route("GET", "/ca/log", "Read the CA's audit log, newest first", ({ query }) => {
      const { limit, before, verify } = parseRequest(logQuery, query);
      const entries = ledger.audit.list(limit, before).map((entry) => ({ ...entry }));
      const verdict = verify === "true" ? { ...ledger.audit.verify() } : null;
      return ok({ entries, head: ledger.audit.head(), verdict });
    }, logQuery),
    route(
      "GET",
      "/ca/nodes",
      "List the nodes the CA has certified",
      () => ok({ nodes: ledger.nodes.list(10_000).map(nodeJson) }),
    ),
    route("POST", "/ca/revoke", "Refuse a node new certificates for good", async (request) => {
      const { node, reason } = parseRequest(revokeRequest, request.body);
      const id = await nodeId(options, node);
      const fresh = ledger.revokeNode(id, reason, now());
      if (fresh) options.host.emit("node_revoked", { node: id, reason });
      const after = { node: id, revoked: true, reason };
      changed(options, request, "node_revoked", { node: id, revoked: !fresh }, after);
      return ok({ node: id, alreadyRevoked: !fresh });
    }, revokeRequest),
    route(
      "GET",
      "/ca/grants",
      "List the scribe grants, newest first",
      () => ok({ grants: ledger.grants.list(100).map(grantJson) }),
    ),
    route("POST", "/ca/grants", "Make a node the scribe, or nobody", async (request) => {
      const { scribe } = parseRequest(grantRequest, request.body);
      const id = scribe === null ? null : await nodeId(options, scribe);
      const before = ledger.grants.latest();
      const grant = await granting.grant(id);
      options.host.emit("scribe_granted", { node: id, epoch: grant.epoch });
      const was = before === undefined ? null : grantJson(before);
      changed(options, request, "scribe_granted", was, grantJson(grant));
      return ok(grantJson(grant));
    }, grantRequest),
    route(
      "GET",
      "/ca/roll",
      "Where a roll of the CA stands, and which nodes it waits for",
      async () => ok(rollJson(await rolling.status())),
    ),
    route("POST", "/ca/roll", "Make a new CA that counts beside the old one", async (request) => {
      const before = await rolling.status();
      const after = await rolling.begin();
      changed(options, request, "ca_roll_begun", rollJson(before), rollJson(after));
      return ok(rollJson(after));
    }),
    route("POST", "/ca/roll/finish", "Retire the old CA", async (request) => {
      const { force } = parseRequest(finishRequest, request.body ?? {});
      const before = await rolling.status();
      const after = await rolling.finish(force);
      changed(options, request, "ca_roll_finished", rollJson(before), rollJson(after));
      return ok(rollJson(after));
    }, finishRequest),
    route("POST", "/ca/roles", "Set the roles in a node's next certificate", async (request) => {
      const { node, roles } = parseRequest(rolesRequest, request.body);
      const id = await nodeId(options, node);
      const before = ledger.nodes.roles(id) ?? null;
      ledger.setRoles(id, roles, now());
      changed(options, request, "roles_changed", { node: id, roles: before }, { node: id, roles });
      return ok({ node: id, roles });
    }, rolesRequest),
  ];
}

/** What was and what is, for the node's audit log; the CA's own log has what it did. */
function changed(
  { host }: ApiOptions,
  { by = "local" }: PluginApiRequest,
  change: string,
  before: Json,
  after: Json,
): void {
  host.emit("audit", { ...whoAsks(by), change, before, after });
}

async function invite(options: ApiOptions, asked: PluginApiRequest): Promise<PluginApiResponse> {
  const request = parseRequest(inviteRequest, asked.body);
  const { network, host, now } = options;
  const { anchor } = options.ledger.authorities.newest;
  if (request.network !== undefined && request.network !== network) {
    throw new CaError(
      "CA_NETWORK",
      `this CA serves network "${network}", an invite to "${request.network}" has to come from its own CA`,
    );
  }
  const relays = request.relays ?? (await host.self()).addresses.slice(0, 8);
  if (relays.length === 0) {
    throw new CaError(
      "CA_NO_ADDRESS",
      "this node advertises no address that an invite could name: name relays (host:port), or set the address it is reached at",
    );
  }
  const made = makeToken(
    options,
    asked,
    now() + parseDuration(request.ttl),
    request.maxUses,
    request.roles,
  );
  const code = encodeInvite({
    network,
    relays,
    token: made.token,
    caFingerprint: anchor.fingerprint,
  });
  const { token: _, ...record } = made;
  return created({ code, network, relays, caFingerprint: anchor.fingerprint, token: record });
}

function makeToken(
  options: ApiOptions,
  asked: PluginApiRequest,
  expiresAt: number | null,
  uses: number,
  roles: readonly Role[],
): { readonly token: string; readonly [key: string]: Json } {
  const { ledger, now } = options;
  const token = generateJoinToken();
  const record = ledger.createToken(
    { id: joinTokenId(token), macKey: joinTokenKey(token), roles, expiresAt, maxUses: uses },
    now(),
  );
  changed(options, asked, "token_created", null, tokenJson(record));
  return { ...tokenJson(record), token };
}

/** A full id is taken as it is, so that a node nobody has heard of for long can be named too. */
async function nodeId({ host }: ApiOptions, text: string): Promise<string> {
  return /^[0-9a-f]{32}$/.test(text) ? text : parseNodeId(await host.resolveNode(text));
}

function tokenJson(token: TokenRecord) {
  return {
    id: token.id,
    status: token.status,
    createdAt: time(token.createdAt),
    expiresAt: token.expiresAt === null ? null : time(token.expiresAt),
    maxUses: token.maxUses,
    uses: token.uses,
    roles: token.roles,
    master: token.master,
  };
}

function nodeJson(node: NodeRecord) {
  return {
    id: node.id,
    meshAddresses: node.meshAddresses,
    roles: node.roles,
    serial: node.serial,
    issuedAt: time(node.issuedAt),
    notAfter: time(node.notAfter),
    revokedAt: node.revoked === null ? null : time(node.revoked.at),
    revokedReason: node.revoked?.reason ?? null,
  };
}

function grantJson({ epoch, scribe, issuedAt }: GrantRecord) {
  return { epoch, scribe, issuedAt: time(issuedAt) };
}

/** Nodes of one kind that an answer names. */
const maxNodesTold = 1_000;

function rollJson({ waiting, away, at, ...status }: RollStatus) {
  return {
    ...status,
    at: at === null ? null : time(at),
    waiting: waiting.length,
    waitingNodes: waiting.slice(0, maxNodesTold),
    away: away.length,
    awayNodes: away.slice(0, maxNodesTold),
  };
}

function time(ms: number): string {
  return new Date(ms).toISOString();
}

function ok(body: Json): PluginApiResponse {
  return { status: 200, body };
}

function created(body: Json): PluginApiResponse {
  return { status: 201, body };
}

import { z } from "zod";
import type { ConfigBody } from "../../../core/netconfig/types.ts";
import type { Json, PluginApiRoute } from "../../../core/plugin/types.ts";
import { replaceSections } from "../changes/replace_sections.ts";
import { rollBack } from "../changes/roll_back.ts";
import { setMeshCidr } from "../changes/set_mesh_cidr.ts";
import { diffBodies } from "../diff_bodies.ts";
import { ruleRequest } from "../policy_use.ts";
import { parseRequest } from "../request.ts";
import type { Scribe } from "../scribe.ts";
import type { HistoryEntry } from "../version_history.ts";
import { parseVersion, versionText } from "../version_text.ts";
import { changed, conditions, force } from "./answers.ts";
import { dnsRequest } from "./dns.ts";
import { adminRoute, readRoute } from "./route.ts";

const sections = z.strictObject({
  dns: z.array(dnsRequest).max(10_000).optional(),
  acls: z.array(ruleRequest).max(10_000).optional(),
  force,
});
const versionWord = z.string().max(40);
const diffQuery = z.object({ from: versionWord, to: versionWord.optional() });
const rollbackRequest = z.strictObject({ version: versionWord, force });
const meshCidrRequest = z.strictObject({ meshCidr: z.string().max(64) });
const historyQuery = z.object({
  limit: z.string().regex(/^\d{1,4}$/, "is not a number").transform(Number)
    .pipe(z.int().min(1).max(1_000)).default(50),
  cursor: versionWord.optional(),
});

/** The config as a whole and its history. */
export function configRoutes(scribe: Scribe): PluginApiRoute[] {
  const { history, mesh } = scribe;
  const bodyAt = async (text: string | undefined): Promise<ConfigBody> =>
    text === undefined ? (await mesh.current()).body : history.body(parseVersion(text));
  return [
    readRoute("/config", "Show the network config in force", async () => {
      const current = await mesh.current();
      const { epoch, version, hash, author, note } = current;
      const body = {
        epoch,
        version,
        hash,
        author,
        note,
        createdAt: time(current.createdAt),
        scribe: current.scribe,
        body: redacted(current.body),
      };
      return { status: 200, body, etag: versionText(current) };
    }),
    adminRoute("PUT", "/config", "Replace all DNS records, all rules, or both", async (request) => {
      const { force: forced, ...wanted } = parseRequest(sections, request.body);
      const given = {
        ...(wanted.dns !== undefined && { dns: wanted.dns }),
        ...(wanted.acls !== undefined && { acls: wanted.acls }),
      };
      const about = ({ dns, acls }: ConfigBody): Json => ({ dns: dns.length, rules: acls.length });
      const event = { type: "config_changed", about };
      return changed(
        await scribe.change(replaceSections, given, event, conditions(request, forced)),
      );
    }, { body: sections }),
    readRoute("/config/history", "List the versions the scribe keeps", ({ query }) => {
      const { limit, cursor } = parseRequest(historyQuery, query);
      const found = history.list(limit + 1, cursor === undefined ? cursor : parseVersion(cursor));
      const entries = found.slice(0, limit);
      const last = entries.at(-1);
      const next = found.length > limit && last !== undefined ? versionText(last) : null;
      return { status: 200, body: { entries: entries.map(entryJson), next } };
    }, historyQuery),
    readRoute("/config/diff", "Show what changed between two versions", async ({ query }) => {
      const { from, to } = parseRequest(diffQuery, query);
      const [before, after] = await Promise.all([bodyAt(from), bodyAt(to)]);
      const changes = diffBodies(redactedBody(before), redactedBody(after));
      return { status: 200, body: { from, to: to ?? null, changes } };
    }, diffQuery),
    adminRoute("POST", "/config/rollback", "Publish an old version again", async (request) => {
      const { version, force: forced } = parseRequest(rollbackRequest, request.body);
      const argument = { version, old: history.body(parseVersion(version)) };
      const event = { type: "config_changed", about: (): Json => null };
      return changed(
        await scribe.change(rollBack, argument, event, conditions(request, forced)),
      );
    }, { body: rollbackRequest }),
    adminRoute("PUT", "/mesh-cidr", "Move all mesh addresses to a range", async (request) => {
      const argument = parseRequest(meshCidrRequest, request.body);
      const event = { type: "mesh_cidr_changed", about: ({ meshCidr }: ConfigBody) => meshCidr };
      return changed(await scribe.change(setMeshCidr, argument, event, conditions(request)));
    }, { body: meshCidrRequest }),
  ];
}

/** A token's key is for the CA alone, even sealed. */
function redactedBody(body: ConfigBody): ConfigBody {
  const tokens = body.tokens.map((token) => ({ ...token, sealedKey: "" }));
  return { ...body, tokens };
}

function redacted(body: ConfigBody): Json {
  const { tokens } = body;
  const shown = tokens.map(({ sealedKey: _, ...token }) => ({ ...token }));
  return { ...body, tokens: shown } as unknown as Json;
}

function entryJson(entry: HistoryEntry): Json {
  const { epoch, version, at, ...rest } = entry;
  return { version: versionText({ epoch, version }), at: time(at), ...rest };
}

export function time(ms: number): string {
  return new Date(ms).toISOString();
}

import assert from "node:assert/strict";
import type { ApiRole, Caller } from "../../core/control/authorisation.ts";
import type { Json } from "../../core/plugin/types.ts";
import { decodeInvite } from "../../core/identity/mod.ts";
import { entryOf } from "../../plugins/scribe/changes/node_entry.ts";
import { type FakeMesh, laptop, scribeId, server } from "../../plugins/scribe/testing.ts";
import { wholeApi } from "./fixtures/whole_api.ts";

type Answer = { readonly [key: string]: Json };

interface Row {
  /** Method and path below the root, with its query. */
  readonly route: string;
  readonly access: "open" | "read" | "admin";
  readonly body?: Json;
  /** @default 200 */
  readonly status?: number;
  /** What the answer is, and what has become of the network. */
  readonly does: (answer: Answer, mesh: FakeMesh) => void;
}

const rule = { action: "deny", from: "tag:guest", to: "*", ports: "22,8000-9000" };
const listed = (answer: Answer, key: string) => answer[key] as Answer[];

/** Every endpoint, in an order in which each finds what the ones before it have made. */
const rows: readonly Row[] = [
  {
    route: "PUT /api/name",
    access: "admin",
    body: { node: laptop, name: "box" },
    does: ({ version }, { body }) => {
      assert.equal(version, "1.1");
      assert.equal(entryOf(body, laptop).name, "box");
    },
  },
  {
    route: "POST /api/tags",
    access: "admin",
    body: { node: "box", tag: "site/berlin" },
    does: (_, { body }) => assert.deepEqual(entryOf(body, laptop).tags, ["site/berlin"]),
  },
  {
    route: "PUT /api/mesh-ip",
    access: "admin",
    body: { node: "box", meshIp: "10.100.7.7" },
    does: (_, { body }) => assert.equal(entryOf(body, laptop).meshIp, "10.100.7.7"),
  },
  {
    route: "PUT /api/pin",
    access: "admin",
    body: { node: "box", via: server },
    does: (_, { body }) => assert.equal(entryOf(body, laptop).pinnedVia, server),
  },
  {
    route: "GET /api/nodes?tag=site",
    access: "read",
    does: (answer) => {
      const { name, pinnedVia, meshIp } = listed(answer, "nodes")[0] ?? {};
      assert.deepEqual([name, pinnedVia, meshIp], ["box", server, "10.100.7.7"]);
      assert.equal(listed(answer, "nodes").length, 1);
    },
  },
  {
    route: "GET /api/node/box",
    access: "read",
    does: ({ id, tags }) => assert.deepEqual([id, tags], [laptop, ["site/berlin"]]),
  },
  {
    route: "GET /api/groups",
    access: "read",
    does: (answer) => assert.deepEqual(answer, { "site/berlin": 1 }),
  },
  {
    route: "GET /api/versions",
    access: "read",
    does: ({ counts, nodes }) => {
      assert.deepEqual(counts, { unknown: 3 });
      assert.equal((nodes as Json[]).length, 3);
    },
  },
  {
    route: "DELETE /api/pin",
    access: "admin",
    body: { node: "box" },
    does: (_, { body }) => assert.equal(entryOf(body, laptop).pinnedVia, null),
  },
  {
    route: `DELETE /api/tags?node=box&tag=site/berlin`,
    access: "admin",
    does: (_, { body }) => assert.deepEqual(entryOf(body, laptop).tags, []),
  },
  {
    route: "POST /api/dns",
    access: "admin",
    body: { name: "db", type: "A", value: "10.0.0.7", ttl: 0 },
    does: (_, { body }) =>
      assert.deepEqual(body.dns, [{ name: "db", type: "A", value: "10.0.0.7", ttl: 300 }]),
  },
  {
    route: "GET /api/dns",
    access: "read",
    does: (answer) => assert.equal(listed(answer, "records")[0]?.["value"], "10.0.0.7"),
  },
  {
    route: "DELETE /api/dns",
    access: "admin",
    body: { name: "db", type: "A" },
    does: (_, { body }) => assert.deepEqual(body.dns, []),
  },
  {
    route: "POST /api/acls",
    access: "admin",
    body: { rule },
    does: (_, { body }) => assert.equal(body.acls.length, 1),
  },
  {
    route: "PUT /api/acls/0",
    access: "admin",
    body: { rule: { ...rule, action: "allow" } },
    does: (_, { body }) => assert.equal(body.acls[0]?.action, "allow"),
  },
  {
    route: "POST /api/acls/move",
    access: "admin",
    body: { from: 0, to: 0 },
    does: ({ changed }) => assert.equal(changed, false),
  },
  {
    route: "GET /api/acls",
    access: "read",
    does: (answer) => assert.equal(listed(answer, "rules")[0]?.["ports"], "22,8000-9000"),
  },
  {
    route: "POST /api/acls/diff",
    access: "admin",
    body: { remove: 0 },
    does: (answer) => assert.ok(listed(answer, "differences").length > 0),
  },
  {
    route: "POST /api/acls/assertions",
    access: "admin",
    body: { assertion: { from: "box", to: server, port: 22, expect: "deny" } },
    does: (_, { body }) => assert.equal(body.aclAssertions.length, 1),
  },
  {
    route: "GET /api/acls/assertions",
    access: "read",
    does: (answer) => assert.equal(listed(answer, "assertions")[0]?.["expect"], "deny"),
  },
  {
    route: "GET /api/acls/test",
    access: "read",
    does: (answer) => assert.equal(listed(answer, "results")[0]?.["ok"], true),
  },
  {
    route: `GET /api/acls/explain?from=box&to=${server}&port=22`,
    access: "read",
    does: ({ allowed, path }) => {
      assert.equal(allowed, false);
      assert.deepEqual(path, [laptop, scribeId, server]);
    },
  },
  {
    route: "DELETE /api/acls/assertions",
    access: "admin",
    body: { index: 0 },
    does: (_, { body }) => assert.deepEqual(body.aclAssertions, []),
  },
  {
    route: "DELETE /api/acls?index=0",
    access: "admin",
    does: (_, { body }) => assert.deepEqual(body.acls, []),
  },
  {
    route: "POST /api/routes",
    access: "admin",
    body: { cidr: "10.7.1.1/16", via: "box" },
    does: (_, { body }) => assert.deepEqual(body.routes, [{ cidr: "10.7.0.0/16", via: laptop }]),
  },
  {
    route: "GET /api/routes",
    access: "read",
    does: (answer) =>
      assert.deepEqual(listed(answer, "routes"), [{ cidr: "10.7.0.0/16", via: laptop }]),
  },
  {
    route: "DELETE /api/routes",
    access: "admin",
    body: { cidr: "10.7.0.0/16" },
    does: (_, { body }) => assert.deepEqual(body.routes, []),
  },
  {
    route: "POST /api/templates",
    access: "admin",
    body: { pattern: "site", settings: { "log-level": "debug" } },
    does: (_, { body }) => assert.deepEqual(body.templates, { site: { "log-level": "debug" } }),
  },
  {
    route: "GET /api/templates",
    access: "read",
    does: (answer) => assert.deepEqual(answer["templates"], { site: { "log-level": "debug" } }),
  },
  {
    route: "DELETE /api/templates",
    access: "admin",
    body: { pattern: "site" },
    does: (_, { body }) => assert.deepEqual(body.templates, {}),
  },
  {
    route: "PUT /api/config",
    access: "admin",
    body: { dns: [{ name: "a", type: "TXT", value: "x" }], acls: [{ from: "*", to: "*" }] },
    does: (_, { body }) => assert.deepEqual([body.dns.length, body.acls.length], [1, 1]),
  },
  {
    route: "GET /api/config",
    access: "read",
    does: ({ epoch, body }) => {
      assert.equal(epoch, 1);
      assert.equal(((body as Answer)["dns"] as Json[]).length, 1);
    },
  },
  {
    route: "GET /api/config/history?limit=1",
    access: "read",
    does: (answer) => {
      assert.match(String(listed(answer, "entries")[0]?.["by"]), /^key:admin$/);
      assert.equal(typeof answer["next"], "string");
    },
  },
  {
    route: "GET /api/config/diff?from=1.1",
    access: "read",
    does: (answer) => assert.ok(listed(answer, "changes").length >= 2),
  },
  {
    route: "POST /api/config/rollback",
    access: "admin",
    body: { version: "1.1" },
    does: (_, { body }) => assert.deepEqual(body.dns, []),
  },
  {
    route: "POST /api/revoke",
    access: "admin",
    body: { node: server, reason: "stolen" },
    does: (_, { body }) => assert.equal(body.revoked[0]?.node, server),
  },
  {
    route: "POST /api/unrevoke",
    access: "admin",
    body: { node: server },
    does: (_, { body }) => assert.deepEqual(body.revoked, []),
  },
  ...["/api/tokens", "/api/scribe/tokens"].flatMap((path): Row[] => [
    {
      route: `POST ${path}`,
      access: "admin",
      body: { ttl: "1h", tags: ["ci"] },
      status: 201,
      does: ({ token, knownToCa }, { body }) => {
        assert.match(String(token), /^[0-9a-f]{64}$/);
        assert.equal(knownToCa, true);
        assert.deepEqual(body.tokens[0]?.tags, ["ci"]);
      },
    },
    {
      route: `GET ${path}`,
      access: "read",
      does: (answer) => {
        const made = listed(answer, "tokens").find(({ master }) => master !== true);
        assert.deepEqual([made?.["status"], made?.["tags"]], ["valid", ["ci"]]);
        assert.doesNotMatch(JSON.stringify(answer), /[0-9a-f]{64}/);
      },
    },
    {
      route: `DELETE ${path}/TOKEN`,
      access: "admin",
      does: (_, { body }) => assert.deepEqual(body.tokens, []),
    },
  ]),
  ...["/api/invite", "/api/scribe/invite"].map((path): Row => ({
    route: `POST ${path}`,
    access: "admin",
    status: 201,
    body: { tags: ["ci"] },
    does: ({ code }) => {
      const { network, relays } = decodeInvite(String(code));
      assert.deepEqual([network, relays], ["corp", ["ca.example:443"]]);
    },
  })),
  ...["/api/tokens", "/api/scribe/tokens"].map((path): Row => ({
    route: `DELETE ${path}?id=TOKEN`,
    access: "admin",
    does: ({ changed }) => assert.equal(changed, true),
  })),
  {
    route: "POST /api/remote/restart",
    access: "admin",
    body: { node: "box" },
    does: (answer) =>
      assert.deepEqual(listed(answer, "results"), [{
        node: laptop,
        ok: true,
        detail: "done",
        code: "",
      }]),
  },
  {
    route: "POST /api/remote/config",
    access: "admin",
    body: { node: "box", config: { "log-level": "debug" } },
    does: ({ matched, failed }) => assert.deepEqual([matched, failed], [1, 0]),
  },
  {
    route: "POST /api/bulk",
    access: "admin",
    body: { pattern: "*", action: "restart" },
    does: ({ matched, failed }) => assert.deepEqual([matched, failed], [3, 0]),
  },
  {
    route: "GET /api/ca/nodes",
    access: "read",
    does: ({ nodes }) => assert.deepEqual(nodes, []),
  },
  {
    route: "GET /api/ca/log",
    access: "read",
    does: (answer) => assert.ok(listed(answer, "entries").length > 0),
  },
  {
    route: "POST /api/ca/grants",
    access: "admin",
    body: { scribe: laptop },
    does: ({ scribe, epoch }) => assert.deepEqual([scribe, epoch], [laptop, 2]),
  },
  {
    route: "GET /api/ca/grants",
    access: "read",
    does: (answer) => assert.equal(listed(answer, "grants")[0]?.["scribe"], laptop),
  },
  {
    route: "POST /api/ca/roles",
    access: "admin",
    body: { node: laptop, roles: ["exit"] },
    status: 404,
    does: ({ code }) => assert.equal(code, "CA_NODE_UNKNOWN"),
  },
  {
    route: "POST /api/ca/revoke",
    access: "admin",
    body: { node: laptop, reason: "stolen" },
    does: ({ node }) => assert.equal(node, laptop),
  },
  { route: "GET /api/ca/roll", access: "read", does: ({ stage }) => assert.equal(stage, "none") },
  {
    route: "POST /api/ca/roll",
    access: "admin",
    does: ({ stage, previous }, { rolls }) => {
      assert.equal(stage, "overlap");
      assert.match(String(previous), /^[0-9a-f]{64}$/);
      assert.equal(rolls, 1);
    },
  },
  {
    route: "POST /api/ca/roll/finish",
    access: "admin",
    body: { force: true },
    does: ({ stage, previous }, { rolls }) => {
      assert.deepEqual([stage, previous], ["finished", null]);
      assert.equal(rolls, 2);
    },
  },
  { route: "GET /api/exits", access: "read", does: ({ routes }) => assert.deepEqual(routes, []) },
  {
    route: "GET /api/status",
    access: "read",
    does: ({ self }) => assert.equal((self as Answer)["network"], "corp"),
  },
  { route: "GET /api/health", access: "read", does: ({ ok }) => assert.equal(ok, true) },
  { route: "GET /api/events", access: "read", does: ({ events }) => assert.deepEqual(events, []) },
  { route: "GET /api/stats", access: "read", does: ({ series }) => assert.deepEqual(series, []) },
  {
    route: "GET /api/audit",
    access: "admin",
    does: ({ entries }) => assert.deepEqual(entries, []),
  },
  {
    route: "GET /api/audit/verify",
    access: "admin",
    does: ({ brokenAt }) => assert.equal(brokenAt, null),
  },
  {
    route: "GET /api/permissions",
    access: "admin",
    does: (answer) => assert.equal(listed(answer, "probes").length, 1),
  },
  { route: "GET /api/ping", access: "read", does: ({ pid }) => assert.equal(pid, 1) },
  {
    route: "GET /openapi.json",
    access: "read",
    does: ({ openapi }) => assert.equal(openapi, "3.1.0"),
  },
  { route: "GET /metrics", access: "open", does: () => {} },
];

/** Those of the unix socket alone have tests of their own. */
const localRoutes: ReadonlySet<string> = new Set([
  "POST /api/stop",
  "GET /api/api-keys",
  "POST /api/api-keys",
  "POST /api/api-keys/{id}/rotate",
  "DELETE /api/api-keys/{id}",
]);

function caller(role: ApiRole): Caller {
  return { role, by: role === "local" ? "local" : `key:${role}`, onLoopback: false };
}

Deno.test("every endpoint is there, answers who may call it and nobody else, and does what it is for", async () => {
  await using api = await wholeApi();
  const { mesh } = api;
  const token = { id: "" };
  for (const row of rows) {
    const [method = "", written = ""] = row.route.split(" ");
    const url = new URL(written.replace("TOKEN", token.id), "http://localhost");
    const call = async (role: ApiRole) => {
      const body = row.body === undefined
        ? {}
        : { body: JSON.stringify(row.body), headers: { "content-type": "application/json" } };
      return await api.call(new Request(url, { method, ...body }), caller(role));
    };
    const before = mesh.version;
    assert.equal((await call("anonymous")).status, 401, row.route);
    const reader = await call("read");
    const readable = row.access !== "admin";
    assert.equal(reader.status, readable ? row.status ?? 200 : 403, row.route);
    await reader.body?.cancel();
    assert.equal(mesh.version, before, `${row.route} changed something for who may not`);
    const response = await call("admin");
    const text = await response.text();
    assert.equal(response.status, row.status ?? 200, `${row.route}: ${text}`);
    const json = response.headers.get("content-type")?.includes("json") === true;
    const answer: Answer = json ? JSON.parse(text) : {};
    row.does(answer, mesh);
    token.id = mesh.body.tokens[0]?.id ?? "";
  }
  assert.deepEqual(api.surprises, []);
});

Deno.test("no endpoint is missing in that table", async () => {
  await using api = await wholeApi();
  const shown = new Set(rows.map(({ route }) => route.replace(/\?.*/, "")));
  const missing = api.operations.map(({ method, path }) => `${method} ${path}`).filter((name) => {
    const form = new RegExp(`^${name.replace(/\{\w+\}/g, "[^/]+")}$`);
    return !localRoutes.has(name) && ![...shown].some((route) => form.test(route));
  });
  assert.deepEqual(missing, []);
});

Deno.test("who may call what is as written down there, for every endpoint", async () => {
  await using api = await wholeApi();
  for (const { route, access } of rows) {
    const name = route.replace(/\?.*/, "");
    const found = api.operations.filter(({ method, path }) =>
      new RegExp(`^${method} ${path.replace(/\{\w+\}/g, "[^/]+")}$`).test(name)
    );
    const exact = found.find(({ method, path }) => `${method} ${path}` === name) ?? found[0];
    assert.equal(exact?.["x-access"], access, name);
  }
});

import assert from "node:assert/strict";
import { PulseError } from "../errors/mod.ts";
import type { Json, PluginApiRequest, PluginApiRoute } from "../plugin/types.ts";
import { matchRoute } from "./plugin_routes.ts";
import { withSharedTokens } from "./token_routes.ts";

type Handle = (request: PluginApiRequest) => Json;

function route(name: string, handle: Handle): PluginApiRoute {
  const [method = "", path = ""] = name.split(" ");
  return {
    method: method as PluginApiRoute["method"],
    path,
    summary: name,
    access: method === "GET" ? "read" : "admin",
    // A throw is a rejection.
    handle: async (request) => await Promise.resolve({ status: 200, body: handle(request) }),
  };
}

/** One of the two plugins: its tokens, who was asked what, and what it refuses. */
function tokenPlugin(prefix: string, tokens: Json[], refuse?: string): PluginApiRoute[] {
  const answer = (name: string, body: Handle) =>
    route(name, (request) => {
      if (refuse !== undefined) throw new PulseError(refuse, "not here");
      return body(request);
    });
  return [
    route(`GET ${prefix}/tokens`, ({ query }) => {
      const from = Number(query["cursor"] ?? 0);
      // Two to a page, whatever was asked for.
      const next = from + 2 < tokens.length ? String(from + 2) : null;
      return { tokens: tokens.slice(from, from + 2), next };
    }),
    answer(`POST ${prefix}/tokens`, ({ body }) => ({ made: prefix, body })),
    answer(`DELETE ${prefix}/tokens/:id`, ({ params }) => ({ gone: prefix, id: params["id"] })),
    answer(`POST ${prefix}/invite`, () => ({ invited: prefix })),
  ];
}

async function call(
  routes: readonly PluginApiRoute[],
  request: string,
  body: Json = null,
): Promise<Json> {
  const [method = "", url = ""] = request.split(" ");
  const { pathname, searchParams } = new URL(url, "http://pulse");
  const found = matchRoute(withSharedTokens(routes), method, pathname);
  assert.ok("route" in found, request);
  const query = Object.fromEntries(searchParams);
  return (await found.route.handle({ params: found.params, query, body })).body;
}

const other = route("GET /things", () => "things");

Deno.test("a node that is neither scribe nor CA has no route for tokens", () => {
  assert.deepEqual(withSharedTokens([other]), [other]);
});

Deno.test("on a CA alone tokens are the CA's, and on a scribe alone the network's, at the same paths", async () => {
  for (const prefix of ["", "/scribe"]) {
    const routes = [other, ...tokenPlugin(prefix, [{ id: "a" }, { id: "b" }, { id: "c" }])];
    assert.deepEqual(await call(routes, "GET /tokens"), {
      tokens: [{ id: "a" }, { id: "b" }, { id: "c" }],
      next: null,
    });
    assert.deepEqual(await call(routes, "POST /tokens", { ttl: "1h" }), {
      made: prefix,
      body: { ttl: "1h" },
    });
    assert.deepEqual(await call(routes, "DELETE /tokens/a"), { gone: prefix, id: "a" });
    assert.deepEqual(await call(routes, "POST /invite"), { invited: prefix });
    assert.equal(await call(routes, "GET /things"), "things");
  }
});

Deno.test("on a node that is both, the scribe in charge makes tokens, and the list has those of both once", async () => {
  const routes = [
    ...tokenPlugin("", [{ id: "a", uses: 1, tags: [] }, { id: "m", master: true }]),
    ...tokenPlugin("/scribe", [{ id: "a", tags: ["ci"] }, { id: "b" }, { id: "z" }]),
  ];
  assert.deepEqual(await call(routes, "GET /tokens"), {
    tokens: [{ id: "a", uses: 1, tags: ["ci"] }, { id: "b" }, { id: "m", master: true }, {
      id: "z",
    }],
    next: null,
  });
  assert.deepEqual(await call(routes, "POST /tokens"), { made: "/scribe", body: null });
  assert.deepEqual(await call(routes, "POST /invite"), { invited: "/scribe" });
});

Deno.test("while the CA has not granted the role, the CA beside the scribe answers", async () => {
  const routes = [
    ...tokenPlugin("", []),
    ...tokenPlugin("/scribe", [], "NETCONFIG_NOT_SCRIBE"),
  ];
  assert.deepEqual(await call(routes, "POST /tokens"), { made: "", body: null });
  assert.deepEqual(await call(routes, "DELETE /tokens/a"), { gone: "", id: "a" });
  const scribeAlone = tokenPlugin("/scribe", [], "NETCONFIG_NOT_SCRIBE");
  await assert.rejects(call(scribeAlone, "POST /tokens"), { code: "NETCONFIG_NOT_SCRIBE" });
});

Deno.test("a token that the scribe does not know may be the CA's, and any other refusal stands", async () => {
  const unknown = [...tokenPlugin("", []), ...tokenPlugin("/scribe", [], "TOKEN_UNKNOWN")];
  assert.deepEqual(await call(unknown, "DELETE /tokens/a"), { gone: "", id: "a" });
  await assert.rejects(call(unknown, "POST /tokens"), { code: "TOKEN_UNKNOWN" });
  const bad = [...tokenPlugin("", []), ...tokenPlugin("/scribe", [], "SCRIBE_REQUEST_INVALID")];
  await assert.rejects(call(bad, "POST /tokens"), { code: "SCRIBE_REQUEST_INVALID" });
  await assert.rejects(call(bad, "DELETE /tokens/a"), { code: "SCRIBE_REQUEST_INVALID" });
});

Deno.test("the list of both comes in pages of its own, and an odd query or answer is refused", async () => {
  const routes = [
    ...tokenPlugin("", ["a", "c", "e"].map((id) => ({ id }))),
    ...tokenPlugin("/scribe", ["b", "d"].map((id) => ({ id }))),
  ];
  const seen: Json[] = [];
  for (let next: Json = ""; next !== null;) {
    const page = await call(routes, `GET /tokens?limit=2${next === "" ? "" : `&cursor=${next}`}`);
    const { tokens, next: after } = page as { tokens: Json[]; next: Json };
    assert.ok(tokens.length <= 2);
    seen.push(...tokens);
    next = after;
  }
  assert.deepEqual(seen, ["a", "b", "c", "d", "e"].map((id) => ({ id })));
  await assert.rejects(call(routes, "GET /tokens?limit=0"), { code: "QUERY_INVALID" });
  await assert.rejects(call(routes, "GET /tokens?state=used"), { code: "QUERY_INVALID" });
  const odd = [route("GET /tokens", () => ({ tokens: [{ name: "no id" }] }))];
  await assert.rejects(call(odd, "GET /tokens"), { code: "PLUGIN_PROTOCOL" });
});

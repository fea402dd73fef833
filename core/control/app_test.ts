import assert from "node:assert/strict";
import { PulseError } from "../errors/mod.ts";
import type { PluginApiRequest, PluginApiRoute } from "../plugin/types.ts";
import { createControlApp } from "./app.ts";
import { localCaller } from "./authorisation.ts";
import { noApiKeys, sampleControl, sampleStatus } from "./testing.ts";
import type { NodeControl } from "./types.ts";

function appWith(changes: Partial<NodeControl> = {}, more: { requestTimeoutMs?: number } = {}) {
  const logged: string[] = [];
  const stopping = new AbortController();
  const app = createControlApp({
    control: sampleControl(changes),
    apiKeys: noApiKeys(),
    log: (_level, message) => logged.push(message),
    pid: 4711,
    signal: stopping.signal,
    ...more,
  });
  const call = (method: string, path: string, body?: BodyInit, type = "application/json") =>
    app(
      new Request(`http://localhost${path}`, {
        method,
        ...(body === undefined ? {} : { body, headers: { "content-type": type } }),
      }),
      localCaller,
    );
  return { call, logged, stopping };
}

const route = (
  method: PluginApiRoute["method"],
  path: string,
  handle: (request: PluginApiRequest) => { status: number; body: null | object },
): PluginApiRoute => ({
  method,
  path,
  summary: `${method} ${path}`,
  handle: (request) =>
    Promise.resolve(handle(request) as Awaited<ReturnType<PluginApiRoute["handle"]>>),
});

Deno.test("status, permissions, metrics and ping answer what the node says", async () => {
  const { call } = appWith();
  assert.deepEqual(await (await call("GET", "/api/status")).json(), sampleStatus());
  assert.deepEqual(await (await call("GET", "/api/permissions")).json(), {
    probes: [{ what: "ffi", allowed: false, detail: "denied" }],
  });
  const metrics = await call("GET", "/metrics");
  assert.match(metrics.headers.get("content-type") ?? "", /^text\/plain; version=0\.0\.4/);
  assert.equal(await metrics.text(), "pulse_peers_total 3\n");
  assert.equal((await (await call("GET", "/api/ping")).json()).pid, 4711);
});

Deno.test("stop is a POST, begins the stop and names the process", async () => {
  let stops = 0;
  const { call } = appWith({ stop: () => void stops++ });
  const get = await call("GET", "/api/stop");
  assert.deepEqual([get.status, get.headers.get("allow")], [405, "POST"]);
  assert.equal(stops, 0);
  assert.deepEqual(await (await call("POST", "/api/stop")).json(), { pid: 4711 });
  assert.equal(stops, 1);
});

Deno.test("a stop is answered and in the audit log before it begins, however slow the disk is", async () => {
  const disk = Promise.withResolvers<void>();
  const audited: string[] = [];
  const { history } = sampleControl({});
  const { call, stopping } = appWith({
    stop: () => stopping.abort(),
    history: {
      ...history,
      recordAudit: async (kind) => {
        await disk.promise;
        assert.equal(stopping.signal.aborted, false);
        audited.push(kind);
      },
    },
  });
  const answer = call("POST", "/api/stop");
  disk.resolve();
  assert.equal((await answer).status, 200);
  assert.equal(audited.length, 1);
  assert.equal(stopping.signal.aborted, true);
});

Deno.test("a plugin's routes get parameters, query and body, and their own status goes back", async () => {
  let seen: PluginApiRequest | undefined;
  const { call } = appWith({
    pluginRoutes: () => [
      route("DELETE", "/tokens/:id", (request) => {
        seen = request;
        return { status: 201, body: { done: true } };
      }),
      route("GET", "/tokens/all", () => ({ status: 200, body: { which: "all" } })),
      route("GET", "/tokens/:id", () => ({ status: 204, body: null })),
    ],
  });
  const response = await call("DELETE", "/api/tokens/a%20b?force=1", `{"x":1}`);
  assert.equal(response.status, 201);
  assert.deepEqual(await response.json(), { done: true });
  assert.deepEqual(seen, {
    params: { id: "a b" },
    query: { force: "1" },
    body: { x: 1 },
    by: "local",
  });
  assert.deepEqual(await (await call("GET", "/api/tokens/all")).json(), { which: "all" });
  assert.equal((await call("GET", "/api/tokens/x")).status, 204);
  assert.equal((await call("PUT", "/api/tokens/x")).status, 405);
  assert.equal((await call("GET", "/api/tokens/%zz")).status, 404);
});

Deno.test("errors are problem responses with a stable code, and only surprises are logged", async () => {
  let thrown: unknown = new PulseError("NODE_UNKNOWN", "no node is called x", { node: "x" });
  const { call, logged } = appWith({
    pluginRoutes: () => [
      route("GET", "/fail", () => {
        throw thrown;
      }),
    ],
  });
  const response = await call("GET", "/api/fail");
  assert.equal(response.headers.get("content-type"), "application/problem+json");
  assert.deepEqual(await response.json(), {
    title: "Not found",
    status: 404,
    code: "NODE_UNKNOWN",
    detail: "no node is called x",
    fields: { node: "x" },
  });
  assert.deepEqual(logged, []);
  thrown = new TypeError("oops");
  const surprise = await call("GET", "/api/fail");
  assert.equal(surprise.status, 500);
  assert.equal((await surprise.json()).code, "UNEXPECTED");
  assert.deepEqual(logged, ["control request failed"]);
  assert.equal((await (await call("GET", "/elsewhere")).json()).code, "ROUTE_UNKNOWN");
});

Deno.test("a body beyond the limit, of another type or not JSON is refused", async () => {
  const { call } = appWith({
    pluginRoutes: () => [route("POST", "/x", ({ body }) => ({ status: 200, body: { body } }))],
  });
  assert.deepEqual(await (await call("POST", "/api/x", "[1]")).json(), { body: [1] });
  assert.deepEqual(await (await call("POST", "/api/x")).json(), { body: null });
  assert.equal((await call("POST", "/api/x", " ".repeat(1024 * 1024 + 1))).status, 413);
  assert.equal((await (await call("POST", "/api/x", "{")).json()).code, "BODY_INVALID");
  const text = await call("POST", "/api/x", "{}", "text/plain");
  assert.deepEqual([text.status, (await text.json()).code], [415, "BODY_MEDIA_TYPE"]);
});

Deno.test("a handler that never answers is given up in time, and soon when the node stops", async () => {
  const never = Promise.withResolvers<never>();
  const stuck: PluginApiRoute = {
    method: "GET",
    path: "/stuck",
    summary: "",
    handle: () => never.promise,
  };
  const timed = appWith({ pluginRoutes: () => [stuck] }, { requestTimeoutMs: 10 });
  assert.equal((await timed.call("GET", "/api/stuck")).status, 504);
  const stopped = appWith({ pluginRoutes: () => [stuck] });
  const answer = stopped.call("GET", "/api/stuck");
  stopped.stopping.abort();
  assert.equal((await answer).status, 503);
});

Deno.test("the OpenAPI document has the core routes with schemas and the plugins' routes", async () => {
  const { call } = appWith({
    pluginRoutes: () => [route("DELETE", "/tokens/:id", () => ({ status: 204, body: null }))],
  });
  const document = await (await call("GET", "/openapi.json")).json();
  assert.equal(document.openapi, "3.1.0");
  assert.deepEqual(Object.keys(document.paths).sort(), [
    "/api/api-keys",
    "/api/api-keys/{id}",
    "/api/api-keys/{id}/rotate",
    "/api/audit",
    "/api/audit/verify",
    "/api/events",
    "/api/exits",
    "/api/health",
    "/api/permissions",
    "/api/ping",
    "/api/stats",
    "/api/status",
    "/api/stop",
    "/api/tokens/{id}",
    "/metrics",
    "/openapi.json",
  ]);
  const schema =
    document.paths["/api/status"].get.responses["200"].content["application/json"].schema;
  assert.equal(schema.properties.self.properties.id.type, "string");
  assert.equal(document.paths["/api/tokens/{id}"].delete.parameters[0].name, "id");
});

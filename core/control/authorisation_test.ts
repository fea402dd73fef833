import assert from "node:assert/strict";
import { z } from "zod";
import type { PluginApiRoute } from "../plugin/types.ts";
import { ApiKeyStore } from "./api_key_store.ts";
import { createControlApp } from "./app.ts";
import { type ApiRole, apiRoles, type Caller, coreAccess } from "./authorisation.ts";
import { sampleControl } from "./testing.ts";

const caller = (role: ApiRole, onLoopback = true): Caller => ({ role, by: role, onLoopback });

const pluginRoutes: readonly PluginApiRoute[] = ([undefined, "read", "admin"] as const).flatMap(
  (access) =>
    (["GET", "POST", "PUT", "DELETE"] as const).map((method) => ({
      method,
      path: `/things/${access ?? "unsaid"}/:id`,
      summary: "",
      ...(access === undefined ? {} : { access }),
      handle: ({ by }) => Promise.resolve({ status: 200, body: { by: by ?? null } }),
    } satisfies PluginApiRoute)),
);

async function withApp(
  run: (call: (method: string, path: string, who: Caller) => Promise<Response>) => Promise<void>,
): Promise<void> {
  const dir = await Deno.makeTempDir();
  const stop = new AbortController();
  try {
    const app = createControlApp({
      control: sampleControl({ pluginRoutes: () => pluginRoutes }),
      apiKeys: new ApiKeyStore(`${dir}/api-keys.json`, () => 0),
      log: () => {},
      pid: 1,
      signal: stop.signal,
    });
    await run((method, path, who) => {
      const body = method === "POST" || method === "PUT" ? "{}" : null;
      const headers = { "content-type": "application/json" };
      return app(new Request(`http://localhost${path}`, { method, body, headers }), who);
    });
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}

const documentSchema = z.object({
  paths: z.record(
    z.string(),
    z.record(z.string(), z.looseObject({ "x-access": z.enum(["open", "read", "admin", "local"]) })),
  ),
});

interface FoundRoute {
  readonly method: string;
  readonly path: string;
  readonly access: "open" | "read" | "admin" | "local";
}

/** Every route the running app tells of itself. */
async function routesOf(
  call: (method: string, path: string, who: Caller) => Promise<Response>,
): Promise<FoundRoute[]> {
  const answer = await call("GET", "/openapi.json", caller("local"));
  const { paths } = documentSchema.parse(await answer.json());
  return [
    ...Object.entries(paths).flatMap(([path, item]) =>
      Object.entries(item).map(([method, operation]) => ({
        method: method.toUpperCase(),
        path: path.replace("{id}", "0123456789ab"),
        access: operation["x-access"],
      }))
    ),
  ];
}

/** What each role gets from a route of each kind: the whole policy, written a second time. */
const expected = {
  open: { local: "ok", admin: "ok", read: "ok", anonymous: "ok" },
  read: { local: "ok", admin: "ok", read: "ok", anonymous: 401 },
  admin: { local: "ok", admin: "ok", read: 403, anonymous: 401 },
  local: { local: "ok", admin: 403, read: 403, anonymous: 401 },
} as const;

Deno.test("every route of the app answers every role as the table says", async () => {
  await withApp(async (call) => {
    const routes = await routesOf(call);
    assert.equal(routes.length, coreAccess.size + pluginRoutes.length);
    for (const { method, path, access } of routes) {
      for (const role of apiRoles) {
        const { status } = await call(method, path, caller(role));
        const right = expected[access][role];
        const what = `${method} ${path} (${access}) for ${role}: ${status}`;
        if (right === "ok") assert.equal(status === 401 || status === 403, false, what);
        else assert.equal(status, right, what);
      }
    }
  });
});

Deno.test("every entry of the table is a route, so that none is left behind when a route goes", async () => {
  await withApp(async (call) => {
    const routes = (await routesOf(call)).map(({ method, path }) =>
      `${method} ${path.replace("0123456789ab", ":id")}`
    );
    for (const entry of coreAccess.keys()) assert.ok(routes.includes(entry), entry);
  });
});

Deno.test("metrics need a key from anywhere but this machine, and nothing else is ever without", async () => {
  await withApp(async (call) => {
    const from = async (path: string, onLoopback: boolean) =>
      (await call("GET", path, caller("anonymous", onLoopback))).status;
    assert.equal(await from("/metrics", true), 200);
    assert.equal(await from("/metrics", false), 401);
    assert.equal(await from("/api/ping", true), 401);
  });
});

Deno.test("a plugin's route that does not say is for admins, and knows who asks", async () => {
  await withApp(async (call) => {
    const path = "/api/things/unsaid/1";
    assert.equal((await call("GET", path, caller("read"))).status, 403);
    assert.deepEqual(await (await call("GET", path, caller("admin"))).json(), { by: "admin" });
  });
});

Deno.test("spelling a path differently changes nothing about who may call it", async () => {
  await withApp(async (call) => {
    for (
      const path of [
        "/api/%73top",
        "/api/stop",
        "//api/stop",
        "/api//stop",
        "/api/stop/",
        "/api/./stop",
        "/api/x/../stop",
        "/API/stop",
        "/api/things//admin/1",
        "/api/thing%73/admin/1",
      ]
    ) {
      for (const role of ["read", "anonymous"] as const) {
        const { status } = await call("POST", path, caller(role));
        assert.ok(
          role === "read" ? [403, 404].includes(status) : status === 401,
          `${path} ${role}`,
        );
      }
    }
  });
});

Deno.test("without a key nothing tells which routes there are", async () => {
  await withApp(async (call) => {
    for (const path of ["/api/things/read/1", "/api/nothing", "/", "/metrics/x"]) {
      const answer = await call("GET", path, caller("anonymous"));
      assert.equal(answer.status, 401, path);
      assert.equal(answer.headers.get("www-authenticate"), 'Bearer realm="pulse"');
      assert.equal((await answer.json()).code, "API_KEY_REQUIRED");
    }
    assert.equal((await call("GET", "/api/nothing", caller("read"))).status, 404);
  });
});

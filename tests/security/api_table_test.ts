import assert from "node:assert/strict";
import type { ApiRole, Caller } from "../../core/control/authorisation.ts";
import { type Answer, rows } from "./fixtures/api_rows.ts";
import { wholeApi } from "./fixtures/whole_api.ts";

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

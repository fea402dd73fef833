import assert from "node:assert/strict";
import { systemClock } from "../clock/clock.ts";
import { followerQueue } from "../history/event_feed.ts";
import { History } from "../history/mod.ts";
import type { PluginApiRoute } from "../plugin/types.ts";
import { ApiKeyStore } from "./api_key_store.ts";
import { createControlApp } from "./app.ts";
import { type Caller, localCaller } from "./authorisation.ts";
import { sampleControl } from "./testing.ts";

const self = "4353db8f32bad58020c6d3c9238f80c2";

interface Scene {
  readonly history: History;
  readonly stopping: AbortController;
  call(
    method: string,
    path: string,
    body?: string,
    headers?: HeadersInit,
    caller?: Caller,
  ): Promise<Response>;
}

/** The API of a node whose history is in a directory of its own. */
async function withApi(
  run: (scene: Scene) => Promise<void>,
  routes: readonly PluginApiRoute[] = [],
): Promise<void> {
  const dataDir = await Deno.makeTempDir({ prefix: "pulse-history-" });
  try {
    const stopping = new AbortController();
    const log = () => {};
    using history = new History({
      dataDir,
      self,
      clock: systemClock,
      log,
      resolveNode: (text) => text === "me" ? self : text,
      askNode: (node, query) =>
        Promise.resolve({
          node,
          resolution: query.resolution ?? "1h",
          series: [],
          truncated: false,
        }),
    });
    const control = sampleControl({ history, pluginRoutes: () => routes });
    const app = createControlApp({
      control,
      apiKeys: new ApiKeyStore(`${dataDir}/api-keys.json`, () => Date.now()),
      log,
      pid: 1,
      signal: stopping.signal,
    });
    await run({
      history,
      stopping,
      call: (method, path, body, headers, caller = localCaller) =>
        app(
          new Request(`http://localhost${path}`, {
            method,
            ...(body !== undefined && { body }),
            headers: { "content-type": "application/json", ...headers },
          }),
          caller,
        ),
    });
    stopping.abort();
  } finally {
    await Deno.remove(dataDir, { recursive: true });
  }
}

Deno.test("events are filtered and paged, and a query that makes no sense is refused by name", () =>
  withApi(async ({ history, call }) => {
    for (let i = 0; i < 5; i++) history.event(i === 2 ? "link_down" : "link_up", { node: self });
    const get = async (query: string) => await (await call("GET", `/api/events?${query}`)).json();
    assert.deepEqual(
      (await get("type=link_down&node=me")).events.map(({ id }: { id: number }) => id),
      [3],
    );
    const page = await get("limit=2");
    assert.equal(page.next, "4");
    assert.equal((await get(`limit=9&cursor=${page.next}`)).events.length, 3);
    assert.equal((await get("until=2020-01-01T00:00:00Z")).events.length, 0);
    assert.equal((await get("since=2020-01-01T00:00:00%2B02:00")).events.length, 5);
    for (const query of ["limit=0", "limit=1001", "cursor=x", "since=yesterday", "follow=maybe"]) {
      const response = await call("GET", `/api/events?${query}`);
      const { code, detail } = await response.json();
      assert.deepEqual([response.status, code], [400, "REQUEST_INVALID"], query);
      assert.ok(detail.includes(query.split("=")[0]), detail);
    }
  }));

/** Reads until the text is there; a stream that goes on is cancelled. */
async function readUntil(response: Response, text: string): Promise<string> {
  const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
  let read = "";
  while (!read.includes(text)) {
    const { value, done } = await reader.read();
    if (done) break;
    read += value;
  }
  await reader.cancel();
  return read;
}

Deno.test("events are followed as a stream that begins behind Last-Event-ID", () =>
  withApi(async ({ history, call }) => {
    for (let i = 0; i < 3; i++) history.event("x", { detail: `number ${i}` });
    const response = await call("GET", "/api/events?follow=1", undefined, { "last-event-id": "1" });
    assert.equal(response.headers.get("content-type"), "text/event-stream; charset=utf-8");
    history.event("x", { detail: "live" });
    const text = await readUntil(response, "live");
    assert.deepEqual(text.match(/^id: \d+$/gm), ["id: 2", "id: 3", "id: 4"]);
    assert.equal(JSON.parse(/^data: (.*)$/m.exec(text)![1]!).detail, "number 1");
  }));

Deno.test("a client that reads too slowly is told what it lost, and the node's end ends the stream", () =>
  withApi(async ({ history, call, stopping }) => {
    const response = await call("GET", "/api/events?follow=1");
    for (let i = 0; i < followerQueue + 50; i++) history.event("x", {});
    const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
    let text = "";
    while (!text.includes(`id: ${followerQueue + 50}\n`)) text += (await reader.read()).value;
    assert.match(text, /^id: \d+\nevent: lost\ndata: \{"count":\d+\}$/m);
    stopping.abort();
    assert.equal((await reader.read()).done, true);
  }));

Deno.test("statistics are those of this node, or asked of the one named", () =>
  withApi(async ({ history, call }) => {
    history.sample([{ peer: "a", latencyMs: 2, loss: 0, bytesIn: 3, bytesOut: 4, path: "quic" }]);
    const own = await (await call("GET", "/api/stats?node=me&peer=a")).json();
    assert.deepEqual([own.node, own.resolution, own.series[0].points[0].latencyMs], [
      self,
      "10s",
      2,
    ]);
    const far = await (await call("GET", "/api/stats?node=far&resolution=5m")).json();
    assert.deepEqual([far.node, far.resolution], ["far", "5m"]);
    assert.equal((await call("GET", "/api/stats?resolution=1s")).status, 400);
  }));

const tokens: readonly PluginApiRoute[] = [{
  method: "POST",
  path: "/tokens",
  summary: "",
  handle: ({ body }) => Promise.resolve({ status: 201, body: { token: "t", got: body } }),
}];

Deno.test("what may change something is in the audit log before its answer, without secrets; refused or not", () =>
  withApi(async ({ call }) => {
    const made = await call("POST", "/api/tokens?x=1", `{"ttl":"1h","token":"hidden"}`);
    assert.deepEqual((await made.json()).got, { ttl: "1h", token: "hidden" });
    await call("POST", "/api/tokens", "{");
    await call("DELETE", "/api/nothing/here");
    await call("GET", "/api/status");
    const { entries } = await (await call("GET", "/api/audit")).json();
    const who = { by: "local", from: "this machine" };
    assert.deepEqual(entries.map(({ fields }: { fields: unknown }) => fields), [
      { ...who, method: "DELETE", path: "/api/nothing/here", body: null, status: 404 },
      { ...who, method: "POST", path: "/api/tokens", body: "[not JSON]", status: 400 },
      {
        ...who,
        method: "POST",
        path: "/api/tokens",
        query: { x: "1" },
        body: { ttl: "1h", token: "[redacted]" },
        status: 201,
      },
    ]);
    assert.deepEqual((await (await call("GET", "/api/audit?limit=2")).json()).next, "2");
    const verdict = await (await call("GET", "/api/audit/verify")).json();
    assert.deepEqual([verdict.entries, verdict.brokenAt], [3, null]);
  }, tokens));

Deno.test("a change of the API keys says which key it was about, before and after, and never its text", () =>
  withApi(async ({ call }) => {
    const made = await (await call("POST", "/api/api-keys", '{"name":"ci","role":"read"}')).json();
    const rotated = await (await call("POST", `/api/api-keys/${made.id}/rotate`, "{}")).json();
    await call("DELETE", `/api/api-keys/${made.id}`);
    const { entries } = await (await call("GET", "/api/audit")).json();
    const changes = entries.filter(({ type }: { type: string }) => type === "change")
      .map(({ fields }: { fields: Record<string, unknown> }) => fields);
    const who = { by: "local", from: "this machine" };
    const first = { id: made.id, name: "ci", role: "read" };
    assert.deepEqual(
      changes.map(({ by, from, change }: Record<string, unknown>) => ({ by, from, change })),
      [
        { ...who, change: "api_key_revoked" },
        { ...who, change: "api_key_rotated" },
        { ...who, change: "api_key_created" },
      ],
    );
    const [revoked, replaced, created] = changes;
    assert.deepEqual([created.before, created.after], [null, { ...first, endsAt: null }]);
    assert.deepEqual(replaced.before, { ...first, endsAt: null });
    assert.deepEqual(replaced.after, { ...first, id: rotated.id, endsAt: null });
    assert.equal(revoked.before.id, made.id);
    assert.ok(revoked.before.endsAt !== null);
    assert.equal(revoked.after, null);
    const log = JSON.stringify(entries);
    for (const { key } of [made, rotated]) assert.ok(!log.includes(key.split("_")[2]));
    // The request itself has its row as well.
    assert.equal(entries.length, 6);
  }));

Deno.test("who has no key leaves no entry: strangers must not be able to wear the log out", () =>
  withApi(async ({ call, history }) => {
    const caller = (role: Caller["role"], by: string) => ({ role, by, onLoopback: false });
    const stranger = caller("anonymous", "anonymous@192.0.2.9");
    assert.equal((await call("POST", "/api/tokens", "{}", {}, stranger)).status, 401);
    const reader = caller("read", "key:ab@192.0.2.7");
    assert.equal((await call("POST", "/api/tokens", "{}", {}, reader)).status, 403);
    const { entries } = history.audit({ limit: 9 });
    assert.deepEqual(entries.map(({ fields }) => [fields.by, fields.from, fields.status]), [
      ["key:ab", "192.0.2.7", 403],
    ]);
    assert.equal((await call("GET", "/api/audit", undefined, {}, reader)).status, 403);
    assert.equal((await call("GET", "/api/events", undefined, {}, reader)).status, 200);
  }, tokens));

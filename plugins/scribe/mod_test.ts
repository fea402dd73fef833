import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { matchRoute } from "../../core/control/plugin_routes.ts";
import { decodeInvite, joinTokenId } from "../../core/identity/mod.ts";
import type { PulseError } from "../../core/errors/mod.ts";
import { readAll, startTestHost, type TestHost } from "../../core/plugin/testing.ts";
import type { Json, PluginApiResponse, PluginManifest } from "../../core/plugin/types.ts";
import { memoryStreamPair } from "../../core/streams/memory_stream.ts";
import project from "../../deno.json" with { type: "json" };
import scribe from "./mod.ts";
import { entryOf } from "./changes/node_entry.ts";
import { caCertificate, FakeMesh, fromCa, laptop, memberCertificate, server } from "./testing.ts";
import { eventually } from "../../tests/lab/wait.ts";

const manifest: PluginManifest = { ...project.pulse.plugins.scribe, module: "./mod.ts" };

interface Loaded extends AsyncDisposable {
  readonly mesh: FakeMesh;
  readonly test: TestHost;
  /** A request as the control API hands it on. */
  api(request: string, body?: Json, ifMatch?: string): Promise<PluginApiResponse>;
  /** The same, for a request that is refused. */
  refusal(request: string, body?: Json, ifMatch?: string): Promise<PulseError>;
}

async function load(mode: "inline" | "worker", config: Json = null): Promise<Loaded> {
  const mesh = new FakeMesh();
  const test = await startTestHost({ scribe: manifest }, {
    mode,
    baseUrl: import.meta.url,
    services: mesh,
    coreServices: ["netconfig", "directory"],
    configs: { scribe: config },
    restart: { maxRestarts: 0 },
    hookTimeoutMs: 60_000,
  });
  assert.equal(test.host.status()[0]?.detail, "running");
  const api = async (request: string, body: Json = null, ifMatch?: string) => {
    const [method = "", url = ""] = request.split(" ");
    const { pathname, searchParams } = new URL(url, "http://pulse");
    const found = matchRoute(test.host.apiRoutes(), method, pathname);
    assert.ok("route" in found, request);
    return await found.route.handle({
      params: found.params,
      query: Object.fromEntries(searchParams),
      body,
      by: "key:7@10.0.0.9",
      ...(ifMatch !== undefined && { ifMatch }),
    });
  };
  return {
    mesh,
    test,
    api,
    async refusal(...request) {
      try {
        await api(...request);
      } catch (error) {
        return error as PulseError;
      }
      throw new Error(`${request[0]} was not refused`);
    },
    [Symbol.asyncDispose]: () => test[Symbol.asyncDispose](),
  };
}

function object(value: Json): { readonly [key: string]: Json } {
  return value as { readonly [key: string]: Json };
}

for (const mode of ["inline", "worker"] as const) {
  const rule = (name: string, run: (loaded: Loaded) => Promise<void>) =>
    Deno.test(`${mode}: ${name}`, async () => {
      await using loaded = await load(mode);
      await run(loaded);
    });

  rule(
    "a change is signed, kept, reported with who asked, and answered with its version",
    async (loaded) => {
      const { api, mesh } = loaded;
      const answer = await api("PUT /name", { node: laptop.slice(0, 8), name: "box" });
      assert.equal(answer.status, 200);
      assert.equal(answer.etag, "1.1");
      const { version, changed, node } = object(answer.body);
      assert.deepEqual({ version, changed, node }, { version: "1.1", changed: true, node: laptop });
      assert.equal(entryOf(mesh.body, laptop).name, "box");
      await eventually(() => mesh.events.length > 0, { what: "the event" });
      const [{ type, fields }] = mesh.events as [FakeMesh["events"][number]];
      assert.equal(type, "name_changed");
      assert.equal(fields["by"], "key:7@10.0.0.9");
      assert.equal(object(fields["before"]!)["name"], null);
      assert.equal(object(fields["after"]!)["name"], "box");
      const [row] = mesh.audited;
      assert.deepEqual([row?.["by"], row?.["from"], row?.["change"]], [
        "key:7",
        "10.0.0.9",
        "name_changed",
      ]);
      assert.deepEqual([row?.["before"], row?.["after"]], [fields["before"], fields["after"]]);
      const { entries } = object((await api("GET /config/history")).body);
      const [entry] = entries as { readonly [key: string]: Json }[];
      assert.equal(entry?.["version"], "1.1");
      assert.equal(entry?.["by"], "key:7@10.0.0.9");
    },
  );

  rule("what is so already is answered without a new version", async ({ api, mesh }) => {
    await api("POST /tags", { node: laptop, tag: "dev" });
    const again = await api("POST /tags", { node: laptop, tag: "dev" });
    assert.deepEqual([object(again.body)["changed"], again.etag], [false, "1.1"]);
    assert.equal(mesh.published.length, 1);
  });

  rule(
    "of two changes made for the same version one wins, and the other hears both versions",
    async ({ api, refusal }) => {
      await api("POST /tags", { node: laptop, tag: "dev" });
      const outcomes = await Promise.allSettled([
        api("PUT /name", { node: laptop, name: "a" }, "1.1"),
        api("PUT /name", { node: server, name: "b" }, "1.1"),
      ]);
      const lost = outcomes.filter((outcome) => outcome.status === "rejected");
      assert.equal(lost.length, 1);
      const { code, fields } = lost[0]!.reason as PulseError;
      assert.equal(code, "CONFIG_CONFLICT");
      assert.deepEqual([fields["expected"], fields["current"]], ["1.1", "1.2"]);
      assert.equal(
        (await refusal("PUT /name", { node: server, name: "c" }, "0.9")).code,
        "CONFIG_CONFLICT",
      );
      await api("PUT /name", { node: server, name: "c" }, "1.2");
    },
  );

  rule("changes without a condition are all made, one after the other", async ({ api, mesh }) => {
    await Promise.all(
      Array.from({ length: 20 }, (_, n) => api("POST /tags", { node: laptop, tag: `t${n}` })),
    );
    assert.equal(entryOf(mesh.body, laptop).tags.length, 20);
    assert.equal(mesh.version, 20);
  });

  rule("the routes say who may call them", async ({ api, test }) => {
    assert.equal((await api("GET /nodes")).status, 200);
    const routes = test.host.apiRoutes();
    for (const { method, path, access } of routes) {
      const reads = method === "GET";
      assert.equal(access, reads ? "read" : "admin", `${method} ${path}`);
    }
    assert.ok(routes.length > 40);
  });

  rule(
    "only the CA is believed when it tells who joined, and its word counts once",
    async (loaded) => {
      const { api, mesh, test } = loaded;
      const made = object(
        (await api("POST /scribe/tokens", { tags: ["ci"], name: "runner" })).body,
      );
      const tell = async (origin = caCertificate) => {
        const [near, far] = memoryStreamPair();
        await test.host.handleStream("scribe.joined", far, { ...fromCa("scribe.joined"), origin });
        await near.write(
          new TextEncoder().encode(JSON.stringify({ node: laptop, token: made["id"] }) + "\n"),
        );
        await near.closeWrite();
        return JSON.parse(new TextDecoder().decode(await readAll(near)));
      };
      assert.equal((await tell(memberCertificate)).code, "JOINED_DENIED");
      assert.equal(entryOf(mesh.body, laptop).name, null);
      assert.deepEqual(await tell(), { ok: true });
      assert.deepEqual(entryOf(mesh.body, laptop).tags, ["ci"]);
      assert.equal(entryOf(mesh.body, laptop).name, "runner");
      await api("DELETE /tags", { node: laptop, tag: "ci" });
      assert.deepEqual(await tell(), { ok: true });
      assert.deepEqual(entryOf(mesh.body, laptop).tags, []);
    },
  );
}

const inline = (name: string, run: (loaded: Loaded) => Promise<void>) =>
  Deno.test(name, async () => {
    await using loaded = await load("inline");
    await run(loaded);
  });

inline(
  "a change that came too late is made again on top of what came first",
  async ({ api, mesh }) => {
    mesh.beforePublish = () => {
      mesh.beforePublish = () => {};
      mesh.elsewhere({
        ...mesh.body,
        dns: [{ name: "db", type: "A", value: "10.0.0.1", ttl: 60 }],
      });
    };
    await api("PUT /name", { node: laptop, name: "box" });
    assert.equal(mesh.body.dns.length, 1);
    assert.equal(entryOf(mesh.body, laptop).name, "box");
    assert.equal(mesh.version, 2);
  },
);

inline(
  "a change with a condition that came too late says so, and nothing is overwritten",
  async ({ refusal, mesh }) => {
    mesh.beforePublish = () => mesh.elsewhere(mesh.body);
    const { code, fields } = await refusal("PUT /name", { node: laptop, name: "box" }, "1.0");
    assert.equal(code, "CONFIG_CONFLICT");
    assert.deepEqual([fields["expected"], fields["current"]], ["1.0", "1.1"]);
    assert.equal(mesh.published.length, 0);
  },
);

inline(
  "a node that is not the scribe refuses every change and answers every question",
  async ({ api, refusal, mesh }) => {
    mesh.scribe = false;
    const changes: [string, Json][] = [
      ["PUT /config", { dns: [] }],
      ["POST /dns", { name: "db", type: "A", value: "10.0.0.1" }],
      ["DELETE /dns", { name: "db" }],
      ["POST /acls", { rule: { from: "*", to: "*" } }],
      ["PUT /acls/0", { rule: { from: "*", to: "*" } }],
      ["DELETE /acls", { index: 0 }],
      ["POST /acls/move", { from: 0, to: 0 }],
      ["POST /acls/assertions", { assertion: { from: "a", to: "b", port: 1, expect: "deny" } }],
      ["DELETE /acls/assertions", { index: 0 }],
      ["POST /tags", { node: laptop, tag: "x" }],
      ["DELETE /tags", { node: laptop, tag: "x" }],
      ["PUT /name", { node: laptop, name: "x" }],
      ["PUT /mesh-ip", { node: laptop, meshIp: "10.100.9.9" }],
      ["PUT /pin", { node: laptop, via: server }],
      ["DELETE /pin", { node: laptop }],
      ["POST /routes", { cidr: "10.7.0.0/16", via: laptop }],
      ["DELETE /routes", { cidr: "10.7.0.0/16" }],
      ["POST /revoke", { node: laptop }],
      ["POST /unrevoke", { node: laptop }],
      ["POST /scribe/tokens", {}],
      ["DELETE /scribe/tokens/ab", null],
      ["DELETE /scribe/tokens", { id: "ab" }],
      ["POST /scribe/invite", { relays: ["a:1"] }],
      ["POST /templates", { pattern: "x", settings: { "log-level": "debug" } }],
      ["DELETE /templates", { pattern: "x" }],
      ["POST /remote/restart", { node: laptop }],
      ["POST /remote/config", { node: laptop, config: { "log-level": "debug" } }],
      ["POST /bulk", { pattern: "*", action: "restart" }],
    ];
    for (const [request, body] of changes) {
      assert.equal((await refusal(request, body)).code, "NETCONFIG_NOT_SCRIBE", request);
    }
    const questions = [
      "/nodes",
      `/node/${laptop}`,
      "/config",
      "/config/history",
      "/dns",
      "/acls",
      "/acls/test",
      "/acls/assertions",
      `/acls/explain?from=${laptop}&to=${server}&port=22`,
      "/routes",
      "/scribe/tokens",
      "/groups",
      "/versions",
      "/templates",
    ];
    for (const path of questions) assert.equal((await api(`GET ${path}`)).status, 200, path);
  },
);

inline(
  "an answer that may change without the config has no tag, and says the version inside",
  async ({ api, mesh }) => {
    await api("POST /tags", { node: laptop, tag: "dev" });
    const tagOf = async (path: string) => (await api(`GET ${path}`)).etag;
    const flow = `/acls/explain?from=${laptop}&to=${server}&port=22`;
    for (
      const path of ["/nodes", `/node/${laptop}`, "/acls/test", flow, "/versions", "/scribe/tokens"]
    ) {
      assert.equal(await tagOf(path), undefined, path);
    }
    for (
      const path of [
        "/config",
        "/dns",
        "/acls",
        "/acls/assertions",
        "/routes",
        "/groups",
        "/templates",
      ]
    ) {
      assert.equal(await tagOf(path), "1.1", path);
    }
    const before = object((await api(`GET /node/${laptop}`)).body);
    assert.deepEqual([before["linked"], before["configVersion"]], [true, "1.1"]);
    mesh.nodes.find(({ id }) => id === laptop)!.linked = false;
    const after = object((await api(`GET /node/${laptop}`)).body);
    assert.deepEqual([after["linked"], after["configVersion"]], [false, "1.1"]);
  },
);

inline("a rule's number must be there and be a rule's", async ({ api, refusal, mesh }) => {
  await api("POST /acls", { rule: { from: "*", to: "*", ports: "22,8000-9000" } });
  const bad: Json[] = [{}, { index: null }, { index: "" }, { index: -1 }, { index: 1.5 }, {
    index: "first",
  }];
  for (const body of bad) {
    assert.equal((await refusal("DELETE /acls", body)).code, "SCRIBE_REQUEST_INVALID");
  }
  for (const query of ["", "?index=", "?index=x", "?index=-1"]) {
    assert.equal((await refusal(`DELETE /acls${query}`)).code, "SCRIBE_REQUEST_INVALID");
  }
  assert.equal((await refusal("DELETE /acls", { index: 1 })).code, "ACL_INDEX_INVALID");
  assert.equal(mesh.body.acls.length, 1);
  await api("DELETE /acls?index=0");
  assert.deepEqual(mesh.body.acls, []);
});

inline(
  "rules are added at their place, moved, replaced and listed as people write them",
  async ({ api }) => {
    const rule = (from: string) => ({ from, to: "*" });
    await api("POST /acls", { rule: { ...rule("tag:a"), ports: "22,8000-9000", comment: "ssh" } });
    await api("POST /acls", { rule: { ...rule("tag:b"), action: "deny" }, at: 0 });
    await api("POST /acls/move", { from: 0, to: 1 });
    await api("PUT /acls/1", { rule: { ...rule("tag:c"), protocols: ["udp"] } });
    const { rules } = object((await api("GET /acls")).body);
    assert.deepEqual(rules, [
      {
        index: 0,
        action: "allow",
        from: "tag:a",
        to: "*",
        ports: "22,8000-9000",
        protocols: "*",
        comment: "ssh",
      },
      {
        index: 1,
        action: "allow",
        from: "tag:c",
        to: "*",
        ports: "*",
        protocols: "udp",
        comment: "",
      },
    ]);
  },
);

inline(
  "a change that breaks an assertion is refused, names it, and can be forced",
  async ({ api, refusal, mesh }) => {
    await api("POST /tags", { node: laptop, tag: "dev" });
    await api("POST /tags", { node: server, tag: "prod" });
    await api("POST /acls", { rule: { from: "tag:dev", to: "tag:prod", ports: "22" } });
    const assertion = { from: "tag:dev", to: "tag:prod", port: 22, expect: "allow" };
    await api("POST /acls/assertions", { assertion });
    const deny = { rule: { action: "deny", from: "tag:dev", to: "*" }, at: 0 };
    const { code, fields, message } = await refusal("POST /acls", deny);
    assert.equal(code, "ACL_ASSERTION_BROKEN");
    assert.match(message, /allow tag:dev -> tag:prod:22 tcp .* is denied: rule 0/);
    assert.equal((fields["broken"] as string[]).length, 1);
    // A tag decides as much as a rule does.
    await api("POST /acls", { rule: { action: "deny", from: "tag:guest", to: "*" }, at: 0 });
    const tag = { node: laptop, tag: "guest" };
    assert.equal((await refusal("POST /tags", tag)).code, "ACL_ASSERTION_BROKEN");
    const wrong = { assertion: { ...assertion, port: 23 } };
    assert.equal((await refusal("POST /acls/assertions", wrong)).code, "ACL_ASSERTION_BROKEN");

    await api("POST /acls", { ...deny, force: true });
    await eventually(() => mesh.events.at(-1)?.fields["forced"] === true, { what: "the event" });
    const { results } = object((await api("GET /acls/test")).body);
    assert.equal(object((results as Json[])[0]!)["ok"], false);
    // What was broken before is no reason to refuse what has nothing to do with it.
    await api("PUT /name", { node: laptop, name: "box" });
  },
);

inline(
  "an explanation names the deciding rule, why the others did not match, and today's path",
  async ({ api }) => {
    await api("PUT /name", { node: server, name: "db" });
    await api("POST /acls", { rule: { action: "deny", from: "tag:x", to: "*" } });
    await api("POST /acls", { rule: { from: "*", to: "db", ports: "22" } });
    const answer = await api(`GET /acls/explain?from=${laptop.slice(0, 6)}&to=db&port=22`);
    const { allowed, rule, path, rules } = object(answer.body);
    assert.deepEqual([allowed, rule], [true, 1]);
    assert.equal((path as Json[]).length, 3);
    assert.deepEqual((rules as Json[]).map((one) => object(one)["misses"]), [["from"], []]);
  },
);

inline(
  "a pending change shows what it would allow and deny, and changes nothing",
  async ({ api, mesh }) => {
    await api("POST /acls", { rule: { from: "*", to: "*", ports: "22" } });
    const before = mesh.version;
    const add = { action: "deny", from: laptop, to: server };
    const { differences } = object((await api("POST /acls/diff", { add, at: 0 })).body);
    assert.ok((differences as Json[]).length > 0);
    for (const difference of differences as Json[]) {
      const { change, from, to, ports } = object(difference);
      assert.deepEqual({ change, from, to, ports }, {
        change: "denied",
        from: laptop,
        to: server,
        ports: "22",
      });
    }
    assert.equal(mesh.version, before);
  },
);

inline(
  "an old version comes back as a new one, without letting anybody in again",
  async ({ api, refusal, mesh }) => {
    await api("PUT /name", { node: laptop, name: "box" });
    await api("PUT /name", { node: laptop, name: "other" });
    await api("POST /revoke", { node: server, reason: "stolen" });
    const answer = await api("POST /config/rollback", { version: "1.1" });
    assert.equal(answer.etag, "1.4");
    assert.equal(entryOf(mesh.body, laptop).name, "box");
    assert.deepEqual(mesh.body.revoked.map(({ node }) => node), [server]);
    assert.equal(
      (await refusal("POST /config/rollback", { version: "1.9" })).code,
      "CONFIG_VERSION_UNKNOWN",
    );
    assert.equal(
      (await refusal("POST /config/rollback", { version: "1" })).code,
      "SCRIBE_REQUEST_INVALID",
    );
    const { changes } = object((await api("GET /config/diff?from=1.2&to=1.4")).body);
    const what = (changes as Json[]).map((change) => object(change)["what"]);
    assert.deepEqual(what, [`nodes.${laptop}.name`, `revoked.${server}`]);
  },
);

Deno.test("versions another scribe published are kept too, each once", async () => {
  const mesh = new FakeMesh();
  const dataDir = await Deno.makeTempDir({ prefix: "pulse-scribe-" });
  const { signal } = new AbortController();
  const log = () => {};
  const hooks = await scribe({ name: "scribe", config: null, dataDir, host: mesh, log, signal });
  try {
    const route = (method: string, path: string) =>
      hooks.apiRoutes!.find((one) => one.method === method && one.path === path)!;
    const body = { node: laptop, name: "box" };
    await route("PUT", "/name").handle({ params: {}, query: {}, body });
    const news = () =>
      hooks.onNetworkConfig!({ epoch: mesh.epoch, version: mesh.version, hash: mesh.hash });
    await news();
    mesh.scribe = false;
    mesh.epoch = 2;
    mesh.elsewhere({ ...mesh.body, nodes: {} });
    await news();
    await news();
    const listed = async () => {
      const answer = await route("GET", "/config/history").handle({
        params: {},
        query: {},
        body: null,
      });
      return object(answer.body)["entries"] as { readonly [key: string]: Json }[];
    };
    const entries = await eventually(async () => {
      const all = await listed();
      return all.length === 2 && all;
    }, { what: "the second version" });
    assert.deepEqual(entries.map(({ version, by }) => [version, by]), [["2.2", ""], [
      "1.1",
      "local",
    ]]);
  } finally {
    await hooks.onStop?.();
    await Deno.remove(dataDir, { recursive: true });
  }
});

inline(
  "a token leaves once, and the config shows neither it nor its key",
  async ({ api, mesh }) => {
    const asked = { ttl: "1h", maxUses: 1, tags: ["b", "a"], ephemeral: "10m", roles: ["exit"] };
    const answer = await api("POST /scribe/tokens", asked);
    assert.equal(answer.status, 201);
    const made = object(answer.body);
    assert.match(String(made["token"]), /^[0-9a-f]{64}$/);
    const [entry] = mesh.body.tokens;
    assert.deepEqual([entry?.tags, entry?.ephemeralMs, entry?.roles], [["a", "b"], 600_000, [
      "exit",
    ]]);
    assert.ok(entry!.sealedKey.length > 0);
    const shown = JSON.stringify([
      (await api("GET /scribe/tokens")).body,
      (await api("GET /config")).body,
      (await api("GET /config/diff?from=1.1")).body,
      mesh.events,
    ]);
    assert.doesNotMatch(shown, new RegExp(String(made["token"])));
    assert.ok(!shown.includes(entry!.sealedKey));
    const gone = await api(`DELETE /scribe/tokens/${String(made["id"]).slice(0, 6)}`);
    assert.equal(object(gone.body)["id"], made["id"]);
    assert.deepEqual(mesh.body.tokens, []);
  },
);

inline("uses of tokens are the CA's word, and missing without it", async ({ api, mesh }) => {
  const quick = object((await api("POST /scribe/tokens", { maxUses: 2 })).body);
  assert.equal(quick["knownToCa"], false);
  const listed = async () => {
    const { tokens } = object((await api("GET /scribe/tokens")).body);
    return (tokens as Json[]).map((token) => [object(token)["status"], object(token)["uses"]]);
  };
  assert.deepEqual(await listed(), [["valid", undefined]]);
  mesh.uses = new Map([[String(quick["id"]), { uses: 2, status: "used" }]]);
  assert.deepEqual(await listed(), [["used", 2]]);
  const heard = object((await api("POST /scribe/tokens", {})).body);
  assert.equal(heard["knownToCa"], true);
});

inline(
  "an invite has a token of its own, the CA's fingerprint and addresses to join at",
  async (loaded) => {
    const { api, refusal, mesh } = loaded;
    assert.equal((await refusal("POST /scribe/invite")).code, "SCRIBE_NO_RELAY");
    const home = { network: "home", relays: ["r.example:443"] };
    assert.match((await refusal("POST /scribe/invite", home)).message, /network "corp"/);
    assert.equal(
      (await refusal("POST /scribe/invite", { relays: [] })).code,
      "SCRIBE_REQUEST_INVALID",
    );
    assert.equal(mesh.body.tokens.length, 0);
    mesh.nodes[1]!.addresses = ["laptop.example:443"];
    const answer = await api("POST /scribe/invite", { tags: ["ci"], maxUses: 3 });
    assert.equal(answer.status, 201);
    const made = object(answer.body);
    const invite = decodeInvite(String(made["code"]));
    const { network, relays, caFingerprint } = invite;
    assert.deepEqual({ network, relays, caFingerprint }, {
      network: "corp",
      relays: ["laptop.example:443"],
      caFingerprint: "ab".repeat(32),
    });
    const [entry] = mesh.body.tokens;
    assert.deepEqual([entry?.id, entry?.maxUses, entry?.tags], [joinTokenId(invite.token), 3, [
      "ci",
    ]]);
    assert.equal(entry!.expiresAt! - entry!.createdAt, 24 * 3_600_000);
    // The secret is in the code alone.
    assert.ok(!JSON.stringify([made["token"], mesh.events]).includes(invite.token));
  },
);

inline("the CA and the scribe itself are not revoked by a slip", async ({ api, refusal, mesh }) => {
  assert.equal(
    (await refusal("POST /revoke", { node: caCertificate.id })).code,
    "REVOCATION_INVALID",
  );
  const self = mesh.nodes[0]!.id;
  assert.equal(
    (await refusal("POST /revoke", { node: self, force: true })).code,
    "REVOCATION_INVALID",
  );
  await api("POST /revoke", { node: caCertificate.id, force: true });
  assert.equal(mesh.body.revoked.length, 1);
});

inline(
  "a node that nobody has heard of can be revoked by its full id, and by nothing else",
  async (loaded) => {
    const { api, refusal, mesh } = loaded;
    const unknown = "9".repeat(32);
    await api("POST /revoke", { node: unknown });
    assert.deepEqual(mesh.body.revoked.map(({ node }) => node), [unknown]);
    for (const node of ["9".repeat(8), "nobody"]) {
      assert.equal((await refusal("POST /revoke", { node })).code, "NODE_UNKNOWN");
    }
  },
);

inline("long lists come in pages, and nodes by their tag", async ({ api, mesh }) => {
  for (let n = 0; n < 25; n++) {
    mesh.nodes.push({
      id: `a${n.toString(16).padStart(31, "0")}`,
      meshAddresses: [],
      linked: false,
      lastSeenSeconds: null,
    });
  }
  const seen: string[] = [];
  for (let cursor = ""; cursor !== "null";) {
    const page = object(
      (await api(`GET /nodes?limit=10${cursor === "" ? "" : `&cursor=${cursor}`}`)).body,
    );
    seen.push(...(page["nodes"] as Json[]).map((node) => String(object(node)["id"])));
    cursor = String(page["next"]);
  }
  assert.deepEqual(seen, mesh.nodes.map(({ id }) => id).sort());
  await api("POST /tags", { node: laptop, tag: "site/berlin" });
  const { nodes } = object((await api("GET /nodes?tag=site")).body);
  assert.deepEqual((nodes as Json[]).map((node) => object(node)["id"]), [laptop]);
  assert.deepEqual((await api("GET /groups")).body, { "site/berlin": 1 });
});

inline(
  "rules, expectations and routes come in pages too, in their order",
  async ({ api, mesh }) => {
    const rule = (n: number) => ({ from: `tag:t${n}`, to: "*" });
    await api("PUT /config", { acls: Array.from({ length: 25 }, (_, n) => rule(n)) });
    const assertion = (n: number) =>
      ({ from: `n${n}`, to: "b", port: 1, protocol: "tcp", expect: "deny" }) as const;
    const aclAssertions = Array.from({ length: 12 }, (_, n) => assertion(n));
    const routes = Array.from({ length: 12 }, (_, n) => ({ cidr: `10.${n}.0.0/16`, via: laptop }));
    mesh.elsewhere({ ...mesh.body, aclAssertions, routes });
    const all = async (path: string, key: string) => {
      const found: { readonly [key: string]: Json }[] = [];
      for (let cursor = "";;) {
        const page = object((await api(`GET ${path}?limit=10${cursor}`)).body);
        assert.ok((page[key] as Json[]).length <= 10);
        found.push(...(page[key] as typeof found));
        if (page["next"] === null) return found;
        cursor = `&cursor=${encodeURIComponent(String(page["next"]))}`;
      }
    };
    const rules = await all("/acls", "rules");
    assert.deepEqual(
      rules.map(({ index, from }) => [index, from]),
      mesh.body.acls.map(
        ({ from }, index) => [index, from],
      ),
    );
    for (
      const [path, key] of [["/acls/test", "results"], ["/acls/assertions", "assertions"]] as const
    ) {
      const found = await all(path, key);
      assert.deepEqual(found.map(({ from }) => from), aclAssertions.map(({ from }) => from), path);
    }
    const cidrs = (await all("/routes", "routes")).map(({ cidr }) => cidr);
    assert.deepEqual(cidrs, routes.map(({ cidr }) => cidr).sort());
  },
);

inline(
  "a template is pushed to the nodes it fits, and the answer says what each did",
  async ({ api, mesh, refusal }) => {
    const heard: Json[] = [];
    mesh.answer = async (node, far) => {
      const text = new TextDecoder().decode((await far.read()) ?? new Uint8Array());
      heard.push(JSON.parse(text));
      const answer = node === laptop
        ? { ok: true, detail: "log-level is debug" }
        : { ok: false, code: "REMOTE_COMMAND_DENIED", error: "no" };
      await far.write(new TextEncoder().encode(`${JSON.stringify(answer)}\n`));
      await far.closeWrite();
    };
    for (const node of [laptop, server]) await api("POST /tags", { node, tag: "site/a" });
    await api("POST /templates", { pattern: "site", settings: { "log-level": "debug" } });
    const { body } = await api("POST /bulk", { pattern: "site", action: "push_config" });
    const { matched, failed, results } = object(body);
    assert.deepEqual([matched, failed], [2, 1]);
    assert.deepEqual((results as Json[]).map((one) => object(one)["detail"]), [
      "log-level is debug",
      "no",
    ]);
    const [first] = heard as { readonly [key: string]: Json }[];
    assert.equal(first?.["network"], "corp");
    assert.deepEqual(first?.["command"], {
      kind: "configure",
      settings: { "log-level": "debug" },
    });
    assert.equal(new Set(heard.map((one) => object(one)["nonce"])).size, 2);
    heard.length = 0;
    await api("POST /bulk", { pattern: "*", action: "restart" });
    assert.equal(object(heard.at(-1)!)["target"], mesh.nodes[0]!.id, "the scribe is told last");
    assert.equal(heard.length, 3);
    const nobody = await refusal("POST /bulk", { pattern: "nobody", action: "restart" });
    assert.equal(nobody.code, "NODE_UNKNOWN");
    const gone = await api("POST /remote/restart", { node: "9".repeat(32) });
    assert.deepEqual(object(gone.body)["results"], [{
      node: "9".repeat(32),
      ok: false,
      detail: `There is no path to ${"9".repeat(32)}`,
      code: "STREAM_NO_PATH",
    }]);
  },
);

Deno.test("a node that joined with an ephemeral token is removed when it was gone for its time, and others stay", async () => {
  await using loaded = await load("inline", { sweepSeconds: 0.05 });
  const { api, mesh, test } = loaded;
  const made = object(
    (await api("POST /scribe/tokens", { name: "runner", ephemeral: "1s" })).body,
  );
  const [near, far] = memoryStreamPair();
  await test.host.handleStream("scribe.joined", far, fromCa("scribe.joined"));
  const line = JSON.stringify({ node: laptop, token: made["id"] });
  await near.write(new TextEncoder().encode(`${line}\n`));
  await near.closeWrite();
  assert.equal(new TextDecoder().decode(await readAll(near)), '{"ok":true}\n');
  assert.equal(entryOf(mesh.body, laptop).name, "runner");
  const { looks } = mesh;
  await eventually(() => mesh.looks > looks, { what: "the node has been seen" });
  mesh.nodes = mesh.nodes.filter(({ id }) => id !== laptop);
  await eventually(() => mesh.body.revoked.length > 0, { what: "the node is removed" });
  assert.deepEqual(mesh.body.revoked.map(({ node }) => node), [laptop]);
  assert.equal(entryOf(mesh.body, laptop).name, null);
});

Deno.test("a history that was changed on the disk is noticed at the next start", async () => {
  await using first = await load("inline");
  await first.api("PUT /name", { node: laptop, name: "box" });
  await first.api("PUT /name", { node: laptop, name: "other" });
  const path = `${first.test.dataDir}/scribe/scribe.db`;
  const raw = new DatabaseSync(path);
  raw.exec(`UPDATE versions SET body = replace(body, 'box', 'fox') WHERE version = 1`);
  raw.close();
  await first.test.host.configChanged({ scribe: { sweepSeconds: 30 } });
  const line = await first.test.logged("the history of the network config was tampered with");
  assert.equal(line.fields["broken"], "1.1");
});

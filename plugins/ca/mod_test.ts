import assert from "node:assert/strict";
import { channelPair } from "../../core/identity/channel_testing.ts";
import {
  createCsr,
  decodeInvite,
  frameJoin,
  generateNodeKey,
  joinNetwork,
  type JoinResult,
  type NodeKey,
  parseTrustAnchor,
  pemToDer,
  renewCertificate,
  validateCertificate,
} from "../../core/identity/mod.ts";
import type { HostServices, Json, PluginApiRequest, PluginHooks } from "../../core/plugin/types.ts";
import type { IncomingStream } from "../../core/streams/types.ts";
import { readLine } from "../../core/control/read_line.ts";
import { PulseError } from "../../core/errors/mod.ts";
import { emptyBody } from "../../core/netconfig/mod.ts";
import ca from "./mod.ts";
import { streamPair } from "./testing.ts";

interface Loaded extends AsyncDisposable {
  readonly hooks: PluginHooks;
  readonly events: string[];
  /** What the node's audit log is told. */
  readonly audited: { readonly [key: string]: Json | undefined }[];
  readonly dataDir: string;
  api(method: string, path: string, request?: Partial<PluginApiRequest>): Promise<Json>;
  join(token: string, key?: NodeKey): Promise<JoinResult>;
}

function refuse(): never {
  throw new Error("the ca plugin has no business here");
}

async function load(
  config: Json = { token: "a long enough master token" },
  call: HostServices["call"] = refuse,
  old?: string,
): Promise<Loaded> {
  const dataDir = old ?? await Deno.makeTempDir({ prefix: "pulse-ca-plugin-" });
  const stop = new AbortController();
  const events: string[] = [];
  const audited: Loaded["audited"] = [];
  const host: HostServices = {
    self: () =>
      Promise.resolve({
        id: "",
        network: "corp",
        addresses: ["ca.example:443"],
        joined: true,
        caFingerprint: "ab".repeat(32),
      }),
    peers: refuse,
    resolveNode: (text) =>
      text === "laptop" ? Promise.resolve("1".repeat(32)) : Promise.reject(new Error("unknown")),
    openStream: refuse,
    call,
    emit: (type, fields) => {
      if (type === "audit") audited.push(fields);
      else events.push(type);
    },
  };
  const log = () => {};
  const hooks = await ca({ name: "ca", config, dataDir, host, log, signal: stop.signal });
  return {
    hooks,
    events,
    audited,
    async api(method, path, request = {}) {
      const route = hooks.apiRoutes?.find((r) => r.method === method && r.path === path);
      assert.ok(route, `${method} ${path}`);
      const answer = await route.handle({ params: {}, query: {}, body: null, ...request });
      const makes = method === "POST" && !path.startsWith("/ca/");
      assert.equal(answer.status, makes ? 201 : 200);
      return answer.body;
    },
    async join(token, key = generateNodeKey()) {
      const [node, far] = channelPair();
      const served = hooks.join!(far).finally(() => far.close());
      try {
        return await joinNetwork(node, { key, network: "corp", token, now: Date.now() });
      } finally {
        node.close();
        await served;
      }
    },
    dataDir,
    async [Symbol.asyncDispose]() {
      stop.abort();
      await hooks.onStop?.();
      if (old === undefined) await Deno.remove(dataDir, { recursive: true });
    },
  };
}

function certificateOf(result: JoinResult) {
  const anchor = parseTrustAnchor(result.anchorPem);
  return validateCertificate(pemToDer(result.certificatePem), anchor, { now: Date.now() });
}

/** What the host says about a stream from this node. */
function from(result: JoinResult, protocol: string): IncomingStream {
  return { origin: certificateOf(result), protocol, target: undefined, port: 0, path: [] };
}

function object(value: Json): { readonly [key: string]: Json } {
  return value as { readonly [key: string]: Json };
}

Deno.test("nodes join with the token of the configuration as often as they like", async () => {
  await using plugin = await load();
  const [a, b] = [
    await plugin.join("a long enough master token"),
    await plugin.join("a long enough master token"),
  ];
  assert.notEqual(certificateOf(a).id, certificateOf(b).id);
  assert.deepEqual((await plugin.hooks.health?.())?.ok, true);
});

Deno.test("a CA goes on with the network it was made for when none is named", async () => {
  await using first = await load({ network: "home" });
  await using again = await load({}, refuse, first.dataDir);
  assert.equal(object(await again.api("POST", "/invite"))["network"], "home");
  await assert.rejects(load({ network: "other" }, refuse, first.dataDir), { code: "CA_NETWORK" });
});

Deno.test("without a token in the configuration only minted tokens are good", async () => {
  await using plugin = await load({});
  await assert.rejects(plugin.join("a long enough master token"), { code: "JOIN_TOKEN_INVALID" });
  const made = object(await plugin.api("POST", "/tokens", { body: { ttl: "1h", maxUses: 1 } }));
  assert.match(String(made["token"]), /^[0-9a-f]{64}$/);
  await plugin.join(String(made["token"]));
  const { tokens } = object(await plugin.api("GET", "/tokens"));
  const [listed] = tokens as Json[];
  assert.deepEqual(listed, {
    id: made["id"]!,
    status: "used",
    createdAt: made["createdAt"]!,
    expiresAt: made["expiresAt"]!,
    maxUses: 1,
    uses: 1,
    roles: [],
    master: false,
  });
});

Deno.test("an invite is all a node needs, once", async () => {
  await using plugin = await load();
  const made = object(await plugin.api("POST", "/invite"));
  const invite = decodeInvite(String(made["code"]));
  assert.deepEqual(invite.relays, ["ca.example:443"]);
  assert.equal(invite.network, "corp");
  const result = await plugin.join(invite.token);
  assert.equal(parseTrustAnchor(result.anchorPem).fingerprint, invite.caFingerprint);
  await assert.rejects(plugin.join(invite.token), { message: /token already used/ });
  assert.ok(!JSON.stringify(made["token"]).includes(invite.token));
  await assert.rejects(plugin.api("POST", "/invite", { body: { network: "home" } }), {
    code: "CA_NETWORK",
  });
});

Deno.test("a token is revoked by the beginning of its id", async () => {
  await using plugin = await load();
  const made = object(await plugin.api("POST", "/tokens"));
  const params = { id: String(made["id"]).slice(0, 6) };
  assert.equal(object(await plugin.api("DELETE", "/tokens/:id", { params }))["status"], "revoked");
  await assert.rejects(plugin.join(String(made["token"])), { message: /revoked/ });
});

Deno.test("bad requests are refused with what is wrong", async () => {
  await using plugin = await load();
  const bad: [string, Json][] = [
    ["/tokens", { maxUses: -1 }],
    ["/tokens", { ttl: "soon" }],
    ["/tokens", { roles: ["ca"] }],
    ["/tokens", { max_uses: 1 }],
    ["/invite", { relays: [] }],
    ["/ca/revoke", {}],
    ["/ca/roles", { node: "1".repeat(32), roles: ["ca"] }],
  ];
  for (const [path, body] of bad) {
    await assert.rejects(plugin.api("POST", path, { body }), { code: "CA_REQUEST_INVALID" });
  }
  await assert.rejects(plugin.api("GET", "/ca/log", { query: { limit: "0" } }), {
    code: "CA_REQUEST_INVALID",
  });
});

Deno.test("a stream through a relay carries a join as well", async () => {
  await using plugin = await load();
  const relay = await plugin.join("a long enough master token");
  const [near, far] = streamPair();
  const served = plugin.hooks.streams!["ca.join"]!(far, from(relay, "ca.join"));
  const key = generateNodeKey();
  const result = await joinNetwork(frameJoin(near, "the CA"), {
    key,
    network: "corp",
    token: "a long enough master token",
    now: Date.now(),
  });
  assert.equal(await near.read(), null);
  await near.closeWrite();
  await served;
  assert.equal(certificateOf(result).id, key.id);
  const { entries } = object(await plugin.api("GET", "/ca/log", { query: { limit: "1" } }));
  const [entry] = entries as Json[];
  assert.equal(object(object(entry!)["fields"]!)["via"], `relay ${certificateOf(relay).id}`);
});

Deno.test("a member renews over a stream that proves who it is, until it is revoked", async () => {
  await using plugin = await load();
  const key = generateNodeKey();
  const current = await plugin.join("a long enough master token", key);
  const anchor = parseTrustAnchor(current.anchorPem);
  const { id } = certificateOf(current);
  const renew = async () => {
    const [near, far] = streamPair();
    const served = plugin.hooks.streams!["ca.renew"]!(far, from(current, "ca.renew"));
    try {
      return await renewCertificate(near, {
        key,
        trust: { anchors: [anchor], retired: [] },
        network: "corp",
        now: Date.now(),
      });
    } finally {
      await near.closeWrite();
      await served;
    }
  };
  await plugin.api("POST", "/ca/roles", { body: { node: id, roles: ["exit"] } });
  const next = await renew();
  assert.notEqual(next.certificatePem, current.certificatePem);
  assert.deepEqual(certificateOf(next).roles, ["exit"]);
  assert.deepEqual(certificateOf(next).meshAddresses, certificateOf(current).meshAddresses);
  assert.equal((await renew()).certificatePem, next.certificatePem);

  const body = { node: id, reason: "stolen" };
  assert.equal(object(await plugin.api("POST", "/ca/revoke", { body }))["alreadyRevoked"], false);
  assert.equal(object(await plugin.api("POST", "/ca/revoke", { body }))["alreadyRevoked"], true);
  assert.deepEqual(plugin.events, ["cert_issued", "roles_changed", "cert_issued", "node_revoked"]);
  await assert.rejects(renew(), { code: "JOIN_REFUSED", message: /node has been revoked/ });
  await assert.rejects(plugin.join("a long enough master token", key), { message: /revoked/ });
  const { nodes } = object(await plugin.api("GET", "/ca/nodes"));
  assert.equal(object((nodes as Json[])[0]!)["revokedReason"], "stolen");
  assert.deepEqual(await plugin.hooks.services?.["ca"]?.["revoked"]?.(null), [id]);
});

Deno.test("garbage on a renewal stream ends that stream", async () => {
  await using plugin = await load();
  const member = await plugin.join("a long enough master token");
  for (
    const garbage of [new Uint8Array(3), new Uint8Array(4).fill(255), Uint8Array.of(0, 0, 0, 1, 7)]
  ) {
    const [near, far] = streamPair();
    const served = plugin.hooks.streams!["ca.renew"]!(far, from(member, "ca.renew"));
    await near.write(garbage);
    await near.closeWrite();
    while (await near.read() !== null) { /* an answer or the end */ }
    await served;
  }
});

Deno.test("only the daemon beside the CA gets the role of the CA", async () => {
  await using plugin = await load();
  const key = generateNodeKey();
  const csr = (await createCsr(key, "corp")).toBase64();
  const signSelf = plugin.hooks.services!["ca"]!["signSelf"]!;
  const sign = async (argument: Json) => {
    const { certificate, anchor } = object(await signSelf(argument));
    return certificateOf({ certificatePem: String(certificate), anchorPem: String(anchor) });
  };
  const plain = await sign(csr);
  assert.deepEqual(plain.roles, ["ca"]);
  assert.equal(plain.id, key.id);
  assert.deepEqual((await sign({ csr, roles: ["scribe"] })).roles, ["ca", "scribe"]);
  assert.deepEqual((await sign({ csr })).roles, ["ca", "scribe"]);
  assert.deepEqual((await sign({ csr, roles: [] })).roles, ["ca"]);
  await assert.rejects(signSelf("no base64!"), { code: "CA_REQUEST_INVALID" });
  await assert.rejects(signSelf("AAAA"), { code: "CERT_REQUEST" });
});

Deno.test("the log says what happened and proves that nobody changed it", async () => {
  await using plugin = await load();
  await plugin.join("a long enough master token");
  const query = { limit: "10", verify: "true" };
  const log = object(await plugin.api("GET", "/ca/log", { query }));
  const types = (log["entries"] as Json[]).map((entry) => object(entry)["type"]);
  assert.deepEqual(types, ["certificate_issued", "token_created", "ca_opened"]);
  assert.deepEqual(log["verdict"], { entries: 3, brokenAt: null, reason: null });
});

Deno.test("another plugin can have a node revoked", async () => {
  await using plugin = await load();
  const { revoke, revoked } = plugin.hooks.services!["ca"]!;
  const node = "ab".repeat(16);
  assert.deepEqual(await revoke!({ node }), { node, alreadyRevoked: false });
  assert.deepEqual(await revoked!(null), [node]);
  await assert.rejects(revoke!({ node: "laptop" }), { code: "CA_REQUEST_INVALID" });
});

/** Core's network config services over what a test says is in force; what the CA adopts is in `adopted`. */
function netconfig(adopted: string[], version = 0): HostServices["call"] {
  return (service, method, argument) => {
    assert.equal(service, "netconfig");
    if (method === "adoptGrant") {
      adopted.push(String(object(argument)["grant"]));
      return Promise.resolve(null);
    }
    return Promise.resolve({
      epoch: version === 0 ? 0 : 1,
      version,
      hash: version === 0 ? "" : "ab".repeat(32),
      grantEpoch: adopted.length,
      body: emptyBody as unknown as Json,
    });
  };
}

Deno.test("the scribe's role is granted through the API, and the CA's node adopts the grant", async () => {
  const adopted: string[] = [];
  await using plugin = await load({}, netconfig(adopted, 3));
  const made = await plugin.api("POST", "/ca/grants", { body: { scribe: "laptop" } });
  assert.deepEqual(
    [object(made)["epoch"], object(made)["scribe"]],
    [1, "1".repeat(32)],
  );
  const service = plugin.hooks.services!["ca"]!["grant"]!;
  assert.deepEqual(await service({ scribe: null }), { epoch: 2, scribe: null });
  assert.equal(adopted.length, 2);
  const { grants } = object(await plugin.api("GET", "/ca/grants"));
  assert.deepEqual((grants as Json[]).map((grant) => object(grant)["scribe"]), [
    null,
    "1".repeat(32),
  ]);
  assert.deepEqual(plugin.events, ["scribe_granted"]);
  await assert.rejects(service({ scribe: "laptop" }), { code: "CA_REQUEST_INVALID" });
});

Deno.test("a grant the node did not take is offered again when the node comes up", async () => {
  const adopted: string[] = [];
  let down = true;
  const call = netconfig(adopted);
  await using plugin = await load({}, (service, method, argument) => {
    if (down && method === "adoptGrant") {
      return Promise.reject(new PulseError("NODE_NOT_JOINED", "too early"));
    }
    return call(service, method, argument);
  });
  await plugin.api("POST", "/ca/grants", { body: { scribe: "laptop" } });
  assert.deepEqual(adopted, []);
  down = false;
  await plugin.hooks.onNetworkConfig!({ epoch: 0, version: 0, hash: "" });
  assert.equal(adopted.length, 1);
});

Deno.test("only the scribe is told how often tokens were used, and only who may have the role is granted it", async () => {
  const adopted: string[] = [];
  const token = "a long enough master token";
  await using plugin = await load({ token }, netconfig(adopted));
  const [first, second] = [await plugin.join(token), await plugin.join(token)];
  const ask = async (protocol: string, who: JoinResult) => {
    const [near, far] = streamPair();
    const served = plugin.hooks.streams![protocol]!(far, from(who, protocol));
    await near.closeWrite();
    const { line } = await readLine(near, 4_096);
    await served;
    near.reset();
    return JSON.parse(line);
  };
  assert.deepEqual(await ask("ca.scribe", first), { granted: true, epoch: 1 });
  assert.equal((await ask("ca.scribe", second)).granted, false);
  assert.deepEqual(await ask("ca.tokens", first), { tokens: [] });
  assert.match((await ask("ca.tokens", second)).error, /is not the scribe/);
});

Deno.test("every change through the API tells the audit log what was before and what is now, and no token", async () => {
  await using plugin = await load();
  const member = certificateOf(await plugin.join("a long enough master token"));
  const made = object(await plugin.api("POST", "/tokens", { by: "key:7@10.0.0.9" }));
  const params = { id: String(made["id"]) };
  await plugin.api("DELETE", "/tokens/:id", { params });
  const invited = object(await plugin.api("POST", "/invite"));
  await plugin.api("POST", "/ca/roles", { body: { node: member.id, roles: ["exit"] } });
  await plugin.api("POST", "/ca/revoke", { body: { node: member.id, reason: "stolen" } });
  const told = plugin.audited.map(({ change, by, from }) => [change, by, from]);
  const local = ["local", "this machine"];
  assert.deepEqual(told, [
    ["token_created", "key:7", "10.0.0.9"],
    ["token_revoked", ...local],
    ["token_created", ...local],
    ["roles_changed", ...local],
    ["node_revoked", ...local],
  ]);
  const [created, revoked, , roles, node] = plugin.audited;
  assert.equal(created!["before"], null);
  assert.equal(object(revoked!["before"]!)["status"], "valid");
  assert.equal(object(revoked!["after"]!)["status"], "revoked");
  assert.deepEqual(object(roles!["before"]!)["roles"], []);
  assert.deepEqual(object(roles!["after"]!)["roles"], ["exit"]);
  assert.deepEqual(node!["after"], { node: member.id, revoked: true, reason: "stolen" });
  const text = JSON.stringify(plugin.audited);
  assert.ok(!text.includes(String(made["token"])));
  assert.ok(!text.includes(decodeInvite(String(invited["code"])).token));
});

Deno.test("metrics count tokens and revocations", async () => {
  await using plugin = await load();
  const samples = await plugin.hooks.metrics!();
  assert.equal(samples.find((sample) => sample.name === "pulse_tokens_valid")?.value, 1);
});

Deno.test("the plugin runs in a Worker that may touch its own directory and nothing else", async () => {
  const dataDir = await Deno.makeTempDir({ prefix: "pulse-ca-worker-" });
  const worker = new Worker(new URL("./worker_testing.ts", import.meta.url).href, {
    type: "module",
    deno: {
      permissions: {
        read: [dataDir],
        write: [dataDir],
        net: false,
        env: false,
        sys: false,
        run: false,
        ffi: false,
        import: false,
      },
    },
  });
  try {
    const answered = Promise.withResolvers<unknown>();
    worker.onmessage = ({ data }) => answered.resolve(data);
    worker.onerror = (event) => {
      event.preventDefault();
      answered.reject(new Error(event.message));
    };
    worker.postMessage(dataDir);
    assert.equal(await answered.promise, "joined");
  } finally {
    worker.terminate();
    await Deno.remove(dataDir, { recursive: true });
  }
});

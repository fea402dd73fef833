import assert from "node:assert/strict";
import { join } from "node:path";
import { dataFiles } from "../control/types.ts";
import type { Credentials } from "../identity/types.ts";
import { emptyBody, openSealedKey, positionText } from "../netconfig/mod.ts";
import { testAuthority, testSealPrivate, writeConfig } from "../netconfig/testing.ts";
import type { Json, NetworkConfigNews } from "../plugin/types.ts";
import { callCoreService } from "./core_services.ts";
import { pathBetween } from "./directory.ts";
import type { NetworkConfigStorage } from "./network_config.ts";
import { loadNetworkConfig, saveNetworkConfig } from "./network_config_file.ts";
import { configProblems } from "./network_config_status.ts";
import type { Node } from "./node.ts";
import { echoHooks, startTestNode, type TestNode, until } from "./testing.ts";

type Running = TestNode & AsyncDisposable;
type Body = typeof emptyBody;

async function publish(node: Node, change: Partial<Body>): Promise<void> {
  const { body, state } = node.networkConfig;
  const expect = state.config?.document ?? { epoch: 0, version: 0 };
  await node.networkConfig.publish({ body: { ...body, ...change }, note: "", expect });
}

const entry = { name: null, tags: [], meshIp: null, pinnedVia: null };

/** The scribe, a relay linked to it, and a member linked to the relay alone. */
async function threeNodes(stack: AsyncDisposableStack) {
  const authority = await testAuthority();
  const news: NetworkConfigNews[] = [];
  const start = async (peers: readonly Running[], credentials: Credentials) =>
    stack.use(
      await startTestNode(credentials, {
        peers: peers.map(({ node }) => node.listeners.address),
        hooks: { ...echoHooks, networkConfig: (item) => void news.push(item) },
      }),
    );
  const relay = await start([], await authority.issue());
  const scribe = await start([relay], await authority.issue());
  const member = await start([relay], await authority.issue());
  await until("links", () => relay.node.linkedPeers().length === 2);
  scribe.node.networkConfig.adoptGrant(authority.grant(1, scribe.node.id).bytes);
  return { authority, relay, scribe, member, news, start };
}

Deno.test("a config reaches nodes behind a relay: names resolve, pins route, plugins are told", async () => {
  await using stack = new AsyncDisposableStack();
  const { relay, scribe, member, news } = await threeNodes(stack);
  const s = scribe.node.id;
  await publish(scribe.node, {
    nodes: {
      [s]: { name: "home", tags: ["prod"], meshIp: "10.100.9.9", pinnedVia: relay.node.id },
    },
  });
  await until("the name", () => {
    try {
      return member.node.findNode("home.pulse") === s;
    } catch {
      return false;
    }
  });
  assert.ok(news.filter(({ version }) => version === 1).length >= 1);
  const [, ipv6] = scribe.node.credentials.certificate.meshAddresses;
  assert.deepEqual(scribe.node.meshAddresses, ["10.100.9.9", ipv6]);
  assert.deepEqual(
    member.node.meshAddresses,
    member.node.credentials.certificate.meshAddresses,
  );
  await until("a path", () => "paths" in member.node.paths(s));
  await publish(scribe.node, {
    nodes: { [s]: { ...entry, pinnedVia: "f".repeat(32) } },
  });
  await until("the pin to hold", () => "reason" in member.node.paths(s));
  assert.throws(() => member.node.findNode("home"), { code: "NODE_UNKNOWN" });
});

Deno.test("a revocation cuts the node off wherever it is linked, and undoing it lets it back", async () => {
  await using stack = new AsyncDisposableStack();
  const { relay, scribe, member } = await threeNodes(stack);
  await until("a path", () => "paths" in scribe.node.paths(member.node.id));
  await publish(scribe.node, { revoked: [{ node: member.node.id, at: 1, reason: "lost" }] });
  await until("the end of the link", () => relay.node.link(member.node.id) === undefined);
  await until("a refusal", () => member.lines.some((line) => /revoked/.test(line)));
  assert.equal("reason" in scribe.node.paths(member.node.id), true);
  await publish(scribe.node, { revoked: [] });
  await until("the link again", () => relay.node.link(member.node.id), 60_000);
  await until("the path again", () => "paths" in scribe.node.paths(member.node.id));
  assert.equal(member.node.networkConfig.state.config?.document.version, 2);
});

Deno.test("a CA's own revocation outlives what the network config says", async () => {
  await using stack = new AsyncDisposableStack();
  const { relay, scribe, member } = await threeNodes(stack);
  await relay.node.revoke([member.node.id]);
  await publish(scribe.node, { revoked: [{ node: member.node.id, at: 1, reason: "" }] });
  await publish(scribe.node, { revoked: [] });
  await until("both versions", () => relay.node.networkConfig.state.config?.document.version === 2);
  assert.throws(() => relay.node.admit(member.node.credentials.certificate), /revoked/);
});

Deno.test("of two changes to one version one wins, and the other is told both versions", async () => {
  await using stack = new AsyncDisposableStack();
  const { scribe, member } = await threeNodes(stack);
  const draft = { body: emptyBody, note: "x", expect: { epoch: 0, version: 0 } };
  const results = await Promise.allSettled([
    scribe.node.networkConfig.publish(draft),
    scribe.node.networkConfig.publish(draft),
  ]);
  assert.equal(results[0].status, "fulfilled");
  assert.ok(results[1].status === "rejected");
  assert.equal(results[1].reason.code, "NETCONFIG_CONFLICT");
  assert.deepEqual(results[1].reason.fields, { expected: "0.0", current: "1.1" });
  await assert.rejects(member.node.networkConfig.publish(draft), { code: "NETCONFIG_NOT_SCRIBE" });
});

Deno.test("the role moves to another node, which goes on from where the old scribe was", async () => {
  await using stack = new AsyncDisposableStack();
  const { authority, relay, scribe, member } = await threeNodes(stack);
  await publish(scribe.node, { nodes: { [member.node.id]: { ...entry, name: "next" } } });
  await until("it everywhere", () => member.node.networkConfig.state.config !== null);
  const { document, hash } = scribe.node.networkConfig.state.config!;
  const base = { epoch: 1, version: document.version, hash };
  const grant = authority.grant(2, member.node.id, base);
  relay.node.networkConfig.adoptGrant(grant.bytes);
  await until("the grant", () => member.node.networkConfig.state.isScribe);
  await until("the end of the old role", () => !scribe.node.networkConfig.state.isScribe);
  await assert.rejects(publish(scribe.node, {}), { code: "NETCONFIG_NOT_SCRIBE" });
  await publish(member.node, { dns: [{ name: "x", type: "A", value: "1.2.3.4", ttl: 1 }] });
  await until("the new word", () => scribe.node.networkConfig.body.dns.length === 1);
  assert.equal(scribe.node.findNode("next"), member.node.id);
});

async function inDirectory(
  run: (dir: string, storage: () => Promise<NetworkConfigStorage>) => Promise<void>,
): Promise<void> {
  const dir = await Deno.makeTempDir({ prefix: "pulse-netconfig-" });
  try {
    await run(dir, async () => ({
      stored: await loadNetworkConfig(dir),
      save: (state) => saveNetworkConfig(dir, state),
    }));
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}

Deno.test("a node starts with what its disk holds, for its owner alone to read", async () => {
  await inDirectory(async (dir, storage) => {
    const authority = await testAuthority();
    const credentials = await authority.issue();
    {
      await using first = await startTestNode(credentials, { networkConfig: await storage() });
      first.node.networkConfig.adoptGrant(authority.grant(1, first.node.id).bytes);
      await publish(first.node, { nodes: { [first.node.id]: { ...entry, name: "self" } } });
    }
    for (const name of [dataFiles.networkConfig, dataFiles.networkMark]) {
      assert.equal((await Deno.stat(join(dir, name))).mode! & 0o777, 0o600);
    }
    await using again = await startTestNode(credentials, { networkConfig: await storage() });
    assert.equal(again.node.findNode("self"), again.node.id);
    assert.equal(again.node.networkConfig.state.isScribe, true);
    assert.deepEqual(configProblems(again.node.networkConfig.state), []);
  });
});

Deno.test("an old disk is used as a start and told, a damaged or forged one is told and left alone", async () => {
  await inDirectory(async (dir, storage) => {
    const authority = await testAuthority();
    const [scribe, credentials] = [await authority.issue(), await authority.issue()];
    const grant = authority.grant(1, scribe.key.id);
    const floor = { epoch: 1, version: 9 };
    const config = writeConfig(scribe, grant, 3).bytes;
    const problems = async () => {
      await using node = await startTestNode(credentials, { networkConfig: await storage() });
      const { state } = node.node.networkConfig;
      const at = positionText(state.config?.document ?? { epoch: 0, version: 0 });
      return [at, ...configProblems(state).map(({ code }) => code)];
    };
    await saveNetworkConfig(dir, { grant: grant.bytes, config, floor });
    assert.deepEqual(await problems(), ["1.3", "CONFIG_ROLLED_BACK"]);
    const forged = config.with(-1, config.at(-1)! ^ 1);
    await saveNetworkConfig(dir, { grant: grant.bytes, config: forged });
    await Deno.remove(join(dir, dataFiles.networkMark));
    assert.deepEqual(await problems(), ["0.0", "CONFIG_UNVERIFIED"]);
    for (const garbage of [new Uint8Array(0), new Uint8Array(40), config]) {
      await Deno.writeFile(join(dir, dataFiles.networkConfig), garbage);
      assert.equal((await loadNetworkConfig(dir)).problems.length, 1);
      assert.deepEqual((await problems())[0], "0.0");
    }
  });
});

Deno.test("a config that cannot be saved is not published", async () => {
  const authority = await testAuthority();
  const credentials = await authority.issue();
  const storage = { stored: {}, save: () => Promise.reject(new Error("disk full")) };
  await using only = await startTestNode(credentials, { networkConfig: storage });
  only.node.networkConfig.adoptGrant(authority.grant(1, only.node.id).bytes);
  await assert.rejects(publish(only.node, {}), { code: "NETCONFIG_STORAGE" });
  assert.equal(only.node.networkConfig.state.config, null);
});

Deno.test("plugins read, publish and seal through core's services, and look nodes up", async () => {
  await using stack = new AsyncDisposableStack();
  const { authority, relay, scribe, member } = await threeNodes(stack);
  const call = (service: string, method: string, argument: Json = null, node = scribe.node) =>
    callCoreService(node, { service, method, argument }, performance.now());
  const before = await call("netconfig", "current") as { [key: string]: Json };
  assert.deepEqual(
    [before.epoch, before.version, before.scribe, before.grantEpoch, before.body, before.problem],
    [0, 0, true, 1, emptyBody as unknown as Json, null],
  );
  const request = {
    body: { ...emptyBody, nodes: { [member.node.id]: { ...entry, meshIp: "10.100.7.7" } } },
    note: "an address",
    expect: { epoch: 0, version: 0 },
  } as unknown as Json;
  const published = await call("netconfig", "publish", request) as { [key: string]: string };
  assert.equal(published.version, 1);
  assert.equal(
    Uint8Array.fromBase64(published.bytes!).length,
    scribe.node.networkConfig.state.config?.bytes.length,
  );
  await assert.rejects(call("netconfig", "publish", request), { code: "NETCONFIG_CONFLICT" });
  await assert.rejects(
    call("netconfig", "publish", {
      body: {},
      note: "",
      expect: { epoch: 1, version: 1 },
    }),
    { code: "NETCONFIG_INVALID" },
  );
  await assert.rejects(call("netconfig", "publish", 5), { code: "NETCONFIG_REQUEST" });
  const secret = crypto.getRandomValues(new Uint8Array(32));
  const sealed = await call("netconfig", "seal", { key: secret.toBase64() });
  assert.deepEqual(openSealedKey(Uint8Array.fromBase64(String(sealed)), testSealPrivate), secret);
  await assert.rejects(call("netconfig", "constructor"), { code: "PLUGIN_METHOD_UNKNOWN" });
  const foreign = (await testAuthority()).grant(9, member.node.id).bytes.toBase64();
  await assert.rejects(call("netconfig", "adoptGrant", { grant: foreign }), {
    code: "NETCONFIG_GRANT",
  });
  const next = authority.grant(2, member.node.id).bytes.toBase64();
  assert.equal(await call("netconfig", "adoptGrant", { grant: next }), null);

  await until("the records", () => [...scribe.node.records()].length === 3);
  const { nodes } = await call("directory", "snapshot") as unknown as {
    nodes: { id: string; meshAddresses: string[]; linked: boolean }[];
  };
  const found = nodes.find(({ id }) => id === member.node.id)!;
  assert.equal(found.meshAddresses[0], "10.100.7.7");
  assert.match(found.meshAddresses[1]!, /^fd/);
  assert.equal(found.linked, false);
  const ids = { from: member.node.id, to: scribe.node.id };
  for (const node of [scribe.node, member.node]) {
    await until("a path", () => pathBetween(node, ids.from, ids.to));
    assert.deepEqual(await call("directory", "path", ids, node), [
      member.node.id,
      relay.node.id,
      scribe.node.id,
    ]);
  }
});

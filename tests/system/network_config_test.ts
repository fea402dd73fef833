import assert from "node:assert/strict";
import { readLine } from "../../core/control/read_line.ts";
import {
  generateJoinToken,
  joinTokenId,
  joinTokenKey,
  loadCredentials,
} from "../../core/identity/mod.ts";
import type { ConfigBody } from "../../core/netconfig/mod.ts";
import { callCoreService } from "../../core/node/core_services.ts";
import { openToCa } from "../../core/node/open_to_ca.ts";
import { scribeProtocol, ScribeRequest } from "../../core/node/scribe_request.ts";
import { echoHooks, startTestNode, until } from "../../core/node/testing.ts";
import type { Json } from "../../core/plugin/types.ts";
import { withMesh } from "./system_mesh.ts";

const loopback = ["--listen", "127.0.0.1:0", "--addr", "none"];
const master = "a long enough master token";

Deno.test("the first node started as scribe is granted the role by a CA elsewhere; it moves, is taken away, and survives restarts", async () => {
  await withMesh(async (mesh) => {
    await mesh.start("ca", ...loopback, "--ca", "--token", master);
    const door = await mesh.address("ca");
    const join = async (name: string) => await mesh.ok(name, "join", door, "--token", master);
    await join("home");
    await join("other");
    const scribeAt = async (name: string, scribe: string | null, epoch: number) =>
      await mesh.node(name).eventually(`${name} knows the scribe of epoch ${epoch}`, async () => {
        const { config } = await mesh.node(name).status();
        return config?.grantEpoch === epoch && config.scribe === scribe;
      });
    const codes = async (name: string) =>
      (await mesh.node(name).status()).warnings.map(({ code }) => code);

    await mesh.start("home", ...loopback, "--scribe", door);
    await scribeAt("home", mesh.id("home"), 1);
    await scribeAt("ca", mesh.id("home"), 1);
    await mesh.start("other", ...loopback, "--scribe", door);
    await scribeAt("other", mesh.id("home"), 1);
    assert.ok((await codes("other")).includes("CONFIG_SCRIBE_REFUSED"));
    assert.ok(!(await codes("home")).includes("CONFIG_SCRIBE_REFUSED"));

    assert.match(await mesh.ok("ca", "ca", "grant", "scribe", mesh.id("other")), /is the scribe/);
    for (const name of ["ca", "home", "other"]) await scribeAt(name, mesh.id("other"), 2);
    assert.ok((await codes("home")).includes("CONFIG_SCRIBE_REFUSED"));
    await mesh.node("home").stop();
    await mesh.ok("ca", "ca", "grant", "none");
    await scribeAt("other", null, 3);
    await mesh.node("other").kill9();
    await mesh.node("ca").stop();
    await mesh.start("other", ...loopback, door);
    await scribeAt("other", null, 3);
    await mesh.start("ca", "--listen", door, "--addr", "none", "--ca", "--token", master);
    await scribeAt("ca", null, 3);
    await mesh.start("home", ...loopback, "--scribe", door);
    await scribeAt("home", null, 3);
    assert.match(await mesh.ok("ca", "ca", "log", "--verify"), /scribe_granted.*epoch=3/);
  });
});

Deno.test("a CA that starts as scribe too grants itself the role", async () => {
  await withMesh(async (mesh) => {
    await mesh.start("ca", ...loopback, "--ca", "--scribe");
    await mesh.node("ca").eventually("the grant", async () => {
      const { config, self } = await mesh.node("ca").status();
      return config?.scribe === self.id && self.capabilities.includes("scribe");
    });
  });
});

Deno.test("tokens and revocations of a scribe hold at a CA on another machine, and single-use means once", async () => {
  await withMesh(async (mesh) => {
    await mesh.start("ca", ...loopback, "--ca", "--token", master);
    const door = await mesh.address("ca");
    await mesh.ok("scribe", "join", door, "--token", master);
    const credentials = await loadCredentials(mesh.dataDir("scribe"), { now: Date.now() });
    assert.ok(credentials !== null);
    const told: Json[] = [];
    let deaf = true;
    const [host = "", port = ""] = door.split(":");
    await using scribe = await startTestNode(credentials, {
      peers: [{ host, port: Number(port) }],
      hooks: {
        ...echoHooks,
        protocols: () => ["scribe.joined"],
        handleStream: async (_protocol, stream, from) => {
          assert.deepEqual(from.origin.roles, ["ca"]);
          const { line } = await readLine(stream, 1_000);
          // The first word is lost: it has to be said again.
          const ok = !deaf;
          deaf = false;
          if (ok) told.push(JSON.parse(line));
          await stream.write(new TextEncoder().encode(`${JSON.stringify({ ok })}\n`));
          await stream.closeWrite();
          return true;
        },
      },
    });
    const { node } = scribe;
    const stop = new AbortController();
    const asking = new ScribeRequest({
      self: node.id,
      grant: () => node.networkConfig.state.grant?.grant,
      openToCa: (signal) => openToCa(node, scribeProtocol, signal),
      log: () => {},
    }).run(stop.signal);
    await until("the grant", () => node.networkConfig.state.isScribe);
    stop.abort();
    await asking;

    const publish = async (change: Partial<ConfigBody>) => {
      const { body, state } = node.networkConfig;
      const expect = state.config?.document ?? { epoch: 0, version: 0 };
      await node.networkConfig.publish({ body: { ...body, ...change }, note: "", expect });
      const { version } = node.networkConfig.state.config!.document;
      await mesh.node("ca").eventually(
        `the CA to follow version ${version}`,
        async () => (await mesh.ok("ca", "ca", "log")).includes(`config=1.${version} `),
      );
    };
    const token = generateJoinToken();
    const argument = { key: joinTokenKey(token).toBase64() };
    const call = { service: "netconfig", method: "seal", argument };
    const sealedKey = String(await callCoreService(node, call, performance.now()));
    const id = joinTokenId(token);
    const entry = {
      id,
      sealedKey,
      createdAt: Date.now(),
      expiresAt: null,
      maxUses: 1,
      roles: [],
      tags: ["dev"],
      name: null,
      ephemeralMs: null,
    };
    await publish({ tokens: [entry] });
    const joins = await Promise.all(
      ["a", "b", "c"].map((name) => mesh.pulse(name, "join", door, "--token", token)),
    );
    assert.equal(joins.filter(({ code }) => code === 0).length, 1);
    const winner = ["a", "b", "c"][joins.findIndex(({ code }) => code === 0)]!;
    await until("the word of the join", () => told.length === 1);
    const joined = JSON.parse(await mesh.ok(winner, "id", "--json")).id;
    assert.deepEqual(told, [{ node: joined, token: id }]);

    const stream = await openToCa(node, "ca.tokens", AbortSignal.timeout(10_000));
    await stream.closeWrite();
    const { line } = await readLine(stream, 4_096);
    assert.deepEqual(JSON.parse(line), { tokens: [{ id, uses: 1, status: "used" }] });
    stream.reset();

    await mesh.start(winner, ...loopback, door);
    await mesh.node("ca").eventually("the link", async () => {
      const { peers } = await mesh.node("ca").status();
      return peers.some((peer) => peer.id === joined && peer.link !== "-");
    });
    await publish({ revoked: [{ node: joined, at: Date.now(), reason: "lost" }] });
    await mesh.node(winner).eventually(
      "the end of its links",
      async () => (await mesh.node(winner).status()).peers.every(({ link }) => link === "-"),
    );
    await mesh.node(winner).stop();
    for (const file of ["identity.crt", "ca.crt"]) {
      await Deno.remove(`${mesh.dataDir(winner)}/${file}`);
    }
    const again = await mesh.pulse(winner, "join", door, "--token", master);
    assert.match(again.stderr, /revoked/);
    await publish({ revoked: [] });
    await mesh.ok(winner, "join", door, "--token", master);
  });
});

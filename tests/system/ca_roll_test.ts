import assert from "node:assert/strict";
import { join } from "node:path";
import { dataFiles } from "../../core/control/types.ts";
import { type SystemMesh, withMesh } from "./system_mesh.ts";

const loopback = ["--listen", "127.0.0.1:0", "--addr", "none"];
const master = "a long enough master token";
const words = new TextDecoder();

/** What `pulse ca roll` says. */
interface Roll {
  readonly stage: string;
  readonly ca: string;
  readonly previous: string | null;
  readonly renewed: number;
  readonly waitingNodes: readonly string[];
  readonly awayNodes: readonly string[];
}

async function roll(mesh: SystemMesh, ...flags: string[]): Promise<Roll> {
  return JSON.parse(await mesh.ok("ca", "ca", "roll", "--json", ...flags));
}

async function renewed(mesh: SystemMesh, name: string, ca: string): Promise<void> {
  await mesh.node(name).eventually(
    `${name} renews under the new CA`,
    async () => (await mesh.node(name).status()).certificate?.caFingerprint === ca,
  );
}

async function named(mesh: SystemMesh, at: string, name: string): Promise<void> {
  await mesh.node(at).eventually(`${at} knows ${name}`, async () => {
    const { self, peers } = await mesh.node(at).status();
    return [self, ...peers].some((node) => node.name === name);
  });
}

Deno.test("the CA is rolled under a running stream: every node renews in place, the scribe goes on, new nodes join", async () => {
  await withMesh(async (mesh) => {
    await mesh.start("ca", ...loopback, "--ca", "--token", master);
    const door = await mesh.address("ca");
    const names = ["relay", "scribe", "a"];
    await Promise.all(names.map((name) => mesh.ok(name, "join", door, "--token", master)));
    const oldInvite = await mesh.invite("ca", "--relay", door);
    await mesh.start("relay", ...loopback, door);
    const middle = await mesh.address("relay");
    const scribe = ["--scribe", "--api-listen", "127.0.0.1:0", "--allow-local", "all"];
    await Promise.all([
      mesh.start("scribe", ...loopback, "--no-quic", ...scribe, middle),
      mesh.start("a", ...loopback, "--no-websocket", middle),
    ]);
    const nodes = ["ca", ...names];
    const { echo } = await mesh.service("scribe", 1);
    await mesh.path("a", "relay", "scribe");
    await mesh.node("scribe").eventually("the scribe's role", async () => {
      const { config } = await mesh.node("scribe").status();
      return config?.scribe === mesh.id("scribe");
    });
    await mesh.ok("scribe", "name", mesh.id("a"), "alpha");
    await Promise.all(nodes.map((node) => named(mesh, node, "alpha")));
    await using talk = mesh.talk("a", "connect", mesh.id("scribe"), `127.0.0.1:${echo}`);
    const echoes = async (text: string) => {
      await talk.write(text);
      assert.equal(words.decode(await talk.read(text.length)), text);
    };
    await echoes("before");
    const pids = await Promise.all(
      nodes.map(async (name) => (await mesh.node(name).status()).self.pid),
    );

    const begun = await roll(mesh);
    assert.equal(begun.stage, "overlap");
    await Promise.all(nodes.map((name) => renewed(mesh, name, begun.ca)));
    await echoes("during");
    await mesh.ok("scribe", "name", mesh.id("relay"), "middle");
    await named(mesh, "a", "middle");
    // An invite that names the old CA is as good as one that names the new.
    await mesh.ok("late", "join", oldInvite);
    await mesh.start("late", ...loopback, middle);
    await renewed(mesh, "late", begun.ca);
    await mesh.node("ca").eventually("everybody to have renewed", async () => {
      const { waitingNodes, awayNodes, renewed } = await roll(mesh, "--status");
      return waitingNodes.length + awayNodes.length === 0 && renewed === 5;
    });

    const finished = await roll(mesh, "--finish");
    assert.deepEqual([finished.stage, finished.previous], ["finished", null]);
    await echoes("after");
    await mesh.ok("scribe", "name", mesh.id("late"), "latecomer");
    await Promise.all([...nodes, "late"].map((node) => named(mesh, node, "latecomer")));
    const log = await mesh.ok("ca", "ca", "log", "--verify");
    assert.match(log, /ca_roll_started[^]*ca_roll_finished[^]*scribe_granted[^]*entries in order/);
    await mesh.ok("new", "join", await mesh.invite("ca", "--relay", door));
    await mesh.start("new", ...loopback, middle);
    await named(mesh, "new", "latecomer");

    for (const [i, name] of nodes.entries()) {
      const { self, warnings } = await mesh.node(name).status();
      assert.equal(self.pid, pids[i], `${name} was not restarted`);
      assert.deepEqual(warnings.filter(({ severity }) => severity === "error"), [], name);
    }
    await echoes("to the end");
    for (const name of ["scribe", "a"]) {
      assert.doesNotMatch(mesh.node(name).logs(), /"session down"/, `${name} lost its link`);
    }
    // What is on its disk is of the new CA too.
    await mesh.node("a").kill9();
    await mesh.start("a", ...loopback, "--no-websocket", middle);
    await named(mesh, "a", "latecomer");
  });
});

Deno.test("a node that slept through the beginning of a roll catches up; one that slept through all of it is told to join again, and does", async () => {
  await withMesh(async (mesh) => {
    await mesh.start("ca", ...loopback, "--ca", "--token", master);
    const door = await mesh.address("ca");
    const sleepers = ["dozing", "sleeping"];
    await Promise.all(sleepers.map((name) => mesh.ok(name, "join", door, "--token", master)));
    await mesh.start("sleeping", ...loopback, door);
    await mesh.node("sleeping").stop();

    const begun = await roll(mesh);
    assert.equal(begun.awayNodes.length, 2);
    await renewed(mesh, "ca", begun.ca);
    await mesh.start("dozing", ...loopback, door);
    await renewed(mesh, "dozing", begun.ca);
    // The CA dies in the middle, and goes on.
    await mesh.node("ca").kill9();
    await mesh.start("ca", "--listen", door, "--addr", "none", "--ca", "--token", master);
    await mesh.node("ca").eventually("all but the one that sleeps", async () => {
      const { waitingNodes, awayNodes, renewed, ca } = await roll(mesh, "--status");
      return ca === begun.ca && waitingNodes.length === 0 && renewed === 2 &&
        awayNodes.join() === mesh.id("sleeping");
    });
    assert.equal((await roll(mesh, "--finish")).stage, "finished");
    await mesh.node("ca").kill9();
    await mesh.start("ca", "--listen", door, "--addr", "none", "--ca", "--token", master);

    await mesh.start("sleeping", ...loopback, door);
    const told = await mesh.node("sleeping").eventually("the reason", async () => {
      const { warnings } = await mesh.node("sleeping").status();
      return warnings.find(({ code }) => code === "CERTIFICATE_RETIRED");
    });
    assert.match(told.text, /pulse join CODE/);
    const unhealthy = await mesh.pulse("sleeping", "health");
    assert.deepEqual([unhealthy.code, unhealthy.stdout.split("\n")[0]], [1, "failing"]);
    const { peers } = await mesh.node("ca").status();
    assert.ok(peers.every(({ id, link }) => id !== mesh.id("sleeping") || link === "-"));
    await mesh.node("sleeping").stop();
    const code = await mesh.invite("ca", "--relay", door);
    assert.match(await mesh.ok("sleeping", "join", code), /^joined/);
    await mesh.start("sleeping", ...loopback, door);
    await mesh.node("sleeping").eventually("its link", async () => {
      const { peers, warnings } = await mesh.node("sleeping").status();
      return peers.some(({ link }) => link !== "-") &&
        warnings.every(({ severity }) => severity !== "error");
    });
    await Deno.stat(join(mesh.dataDir("sleeping"), dataFiles.caRoll));
  });
});

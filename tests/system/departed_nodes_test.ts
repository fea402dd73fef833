import assert from "node:assert/strict";
import { type SystemMesh, withMesh } from "./system_mesh.ts";

const master = "a-master-token-that-nobody-may-see";
const loopback = ["--listen", "127.0.0.1:0", "--addr", "none"];

/** Waits until a node knows nothing of another one. */
async function forgotten(mesh: SystemMesh, at: string, name: string): Promise<void> {
  await mesh.node(at).eventually(
    `${at} has forgotten ${name}`,
    async () => await mesh.peer(at, name) === undefined,
  );
}

/** Waits until a node is refused by the CA's, and says so. */
async function refused(mesh: SystemMesh, name: string): Promise<void> {
  await mesh.node(name).eventually(`${name} is told that it is revoked`, async () => {
    const { warnings } = await mesh.node(name).status();
    return warnings.some(({ code, text }) => code === "PEER_UNREACHABLE" && /revoked/.test(text));
  });
}

Deno.test("an ephemeral node stays while it can be reached and is gone with its name after its time; who was put out stays out when everybody has restarted", async () => {
  await withMesh(async (mesh) => {
    const ca = await mesh.start("ca", ...loopback, "--ca", "--token", master);
    const door = await mesh.address("ca");
    const again = ["--listen", door, "--addr", "none", "--ca", "--token", master];
    for (const name of ["scribe", "bad"]) await mesh.ok(name, "join", door, "--token", master);
    await mesh.start("scribe", ...loopback, "--scribe", door);
    await mesh.start("bad", ...loopback, door);
    await mesh.node("scribe").eventually(
      "the scribe can speak",
      async () => (await mesh.node("scribe").status()).config?.scribe === mesh.id("scribe"),
    );
    const token = ["token", "create", "--ephemeral", "3s", "--name", "temp"];
    const secret = (await mesh.ok("scribe", ...token)).trim();
    await mesh.node("ca").eventually("the token is good at the CA", async () => {
      return (await mesh.pulse("temp", "join", door, "--token", secret)).code === 0;
    });
    const temp = await mesh.start("temp", ...loopback, door);
    await mesh.path("scribe", "ca", "temp");
    const named = async () => (await mesh.peer("scribe", "temp"))?.name === "temp";
    await mesh.node("scribe").eventually("the ephemeral node has its name", named);
    const since = performance.now();

    await mesh.path("bad", "ca", "temp");
    await mesh.ok("scribe", "revoke", mesh.id("bad"), "--reason", "lost");
    await refused(mesh, "bad");
    await forgotten(mesh, "scribe", "bad");
    // Longer than its time, and longer than the next look at it.
    await mesh.node("scribe").eventually(
      "more than the ephemeral node's time is over",
      () => performance.now() - since > 5_000,
    );
    assert.ok(await named(), "it can be reached");
    await temp.stop();
    const left = performance.now();
    for (const name of ["scribe", "ca"]) await forgotten(mesh, name, "temp");
    console.log(`gone ${Math.round(performance.now() - left)} ms after its stop, of 3 s`);
    await mesh.ok("scribe", "name", mesh.id("ca"), "temp");

    await Promise.all(["scribe", "bad"].map((name) => mesh.node(name).stop()));
    await ca.stop();
    await mesh.start("ca", ...again);
    await Promise.all([
      mesh.start("scribe", ...loopback, "--scribe", door),
      mesh.start("bad", ...loopback, door),
      mesh.start("temp", ...loopback, door),
    ]);
    await mesh.linked("scribe", "ca", "quic");
    for (const name of ["bad", "temp"]) {
      await refused(mesh, name);
      for (const at of ["ca", "scribe"]) assert.equal(await mesh.peer(at, name), undefined);
    }
    // The CA knows it too, without the scribe.
    await mesh.node("scribe").stop();
    await mesh.node("bad").stop();
    for (const file of ["identity.crt", "ca.crt"]) {
      await Deno.remove(`${mesh.dataDir("bad")}/${file}`);
    }
    const back = await mesh.pulse("bad", "join", door, "--token", master);
    assert.deepEqual([back.code, /revoked/.test(back.stderr)], [1, true]);
  });
});

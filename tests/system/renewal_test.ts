import assert from "node:assert/strict";
import { join } from "node:path";
import { withMesh } from "./system_mesh.ts";

/**
 * Certificates are valid from five minutes before they were made and are renewed when a third of their life is left: made for
 * three minutes, that is after 20 s.
 */
const caDays = 180 / 86_400;

Deno.test("certificates are renewed in place: no session, no stream and no process ends", async () => {
  await withMesh(async (mesh) => {
    const loopback = ["--listen", "127.0.0.1:0", "--addr", "none"];
    const file = join(mesh.dir, "ca.toml");
    await Deno.writeTextFile(file, `ca = true\nca-days = ${caDays}\n`);
    await mesh.start("ca", ...loopback, "--config", file);
    const door = await mesh.address("ca");
    const code = await mesh.invite("ca", "--relay", door, "--max-uses", "2");
    await Promise.all([mesh.ok("a", "join", code), mesh.ok("c", "join", code)]);
    await mesh.start("a", ...loopback, "--no-websocket", door);
    await mesh.start("c", ...loopback, "--no-quic", "--allow-local", "all", door);
    const { echo } = await mesh.service("c", 1);
    await mesh.path("a", "ca", "c");
    await using talk = mesh.talk("a", "connect", mesh.id("c"), `127.0.0.1:${echo}`);
    await talk.write("before");
    await talk.read(6);

    const names = ["ca", "a", "c"];
    const serial = async (name: string) => (await mesh.node(name).status()).certificate?.serial;
    await Promise.all(names.map(async (name) => {
      const before = (await mesh.node(name).status()).self;
      const old = await serial(name);
      await mesh.node(name).eventually(
        `${name} renews its certificate`,
        async () => await serial(name) !== old,
        60_000,
      );
      assert.notEqual(JSON.parse(await mesh.ok(name, "cert", "--json")).serial, old, "on disk");
      const { pid, roles, meshAddresses } = (await mesh.node(name).status()).self;
      assert.deepEqual([pid, roles, meshAddresses], [
        before.pid,
        before.roles,
        before.meshAddresses,
      ]);
    }));
    await talk.write("after");
    assert.equal(new TextDecoder().decode(await talk.read(5)), "after");
    for (const name of names) {
      // A WebSocket that came up first and lost to QUIC is no lost session.
      assert.doesNotMatch(
        mesh.node(name).logs(),
        /"session down"(?!.*another transport was quicker)/,
      );
    }
    // Who comes now is met with the new certificates, on both transports.
    await mesh.node("a").stop();
    await mesh.start("a", ...loopback, "--no-quic", door);
    await mesh.path("a", "ca", "c");
  });
});

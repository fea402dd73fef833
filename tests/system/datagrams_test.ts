import assert from "node:assert/strict";
import { join } from "node:path";
import { TestUdpSocket } from "../../core/streams/udp_testing.ts";
import { SocksUdpClient } from "../../plugins/socks/udp_testing.ts";
import { withMesh } from "./system_mesh.ts";

Deno.test("datagrams of a SOCKS client reach a service behind a relay and come back, and a port that is not open stays shut", async () => {
  await withMesh(async (mesh) => {
    using service = new TestUdpSocket();
    using shut = new TestUdpSocket();
    void service.echo();
    void shut.echo();
    const loopback = ["--listen", "127.0.0.1:0", "--addr", "none"];
    await mesh.start("b", ...loopback, "--ca");
    const door = await mesh.address("b");
    const code = await mesh.invite("b", "--relay", door, "--max-uses", "2");
    await Promise.all([mesh.ok("a", "join", code), mesh.ok("c", "join", code)]);
    await mesh.start("a", ...loopback, "--socks", "--socks-listen", "127.0.0.1:0", door);
    await mesh.start("c", ...loopback, "--allow-local", `${service.port}`, door);
    await mesh.path("a", "b", "c");
    using client = await SocksUdpClient.open("127.0.0.1", mesh.socksPort("a"));
    const host = `${mesh.id("c")}.pulse`;
    await client.send(host, shut.port, Uint8Array.of(1));
    for (const size of [1, 1_200, 60_000]) {
      const payload = crypto.getRandomValues(new Uint8Array(size));
      await client.send(host, service.port, payload);
      assert.deepEqual(await client.receive(), { from: `${host}:${service.port}`, payload });
    }
    await mesh.node("c").eventually(
      "the other port is refused",
      () => Promise.resolve(mesh.node("c").logs().includes(`--allow-local ${shut.port}`)),
    );
  });
});

Deno.test("only the users a configuration file names get through SOCKS", async () => {
  await withMesh(async (mesh) => {
    const file = join(mesh.dir, "a.toml");
    await Deno.writeTextFile(file, `socks-users = { ann = "secret" }\n`, { mode: 0o600 });
    const flags = ["--ca", "--listen", "127.0.0.1:0", "--allow-local", "all", "--config", file];
    await mesh.start("a", ...flags, "--socks", "--socks-listen", "127.0.0.1:0");
    const { http } = await mesh.service("a", 1_000);
    const fetch = (login: string) =>
      mesh.curl(
        "a",
        ...["--proxy", `socks5h://${login}127.0.0.1:${mesh.socksPort("a")}`],
        `http://${mesh.id("a")}.pulse:${http}/file`,
      );
    assert.equal((await fetch("ann:secret@")).bytes, 1_000);
    assert.deepEqual([(await fetch("ann:wrong@")).code, (await fetch("")).code], [97, 97]);
  });
});

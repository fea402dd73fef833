import assert from "node:assert/strict";
import { Lab, labTest } from "../lab/mod.ts";
import { withMesh } from "./system_mesh.ts";
import { TunMesh, tunNeeds } from "./tun_mesh.ts";

labTest(
  "a network begins in the CA's range, and another one moves certificates, interfaces and routes of running nodes",
  tunNeeds,
  async () => {
    await using net = await Lab.create();
    for (const name of ["a", "b"]) await net.node(name);
    const lan = await net.bridge("lan", ["a", "b"]);
    await withMesh(async (mesh) => {
      const tun = new TunMesh(mesh, net);
      await mesh.start("a", "--ca", "--scribe", "--tun", "--mesh-cidr", "10.7.0.0/16");
      await mesh.ok("b", "join", await mesh.invite("a"));
      await mesh.start("b", "--tun", `${lan.ipv4("a")}:8443`);
      const before = await tun.addresses("b");
      assert.match(before.ipv4, /^10\.7\./);
      await tun.untilPinged("a", before.ipv4, 30_000);
      const routes = async (name: string) => await net.exec(name, "ip", "-4", "route");
      assert.match(await routes("b"), /10\.7\.0\.0\/16 dev pulse0/);
      await mesh.ok("a", "mesh-ip", mesh.id("b"), "10.7.77.7");
      await tun.untilPinged("a", "10.7.77.7", 10_000);

      assert.match(
        await mesh.ok("a", "config", "mesh-cidr", "10.9.0.0/16"),
        /mesh addresses are in 10\.9\.0\.0\/16, not in 10\.7\.0\.0\/16, 1 given by hand taken back/,
      );
      for (const [name, other] of [["a", "b"], ["b", "a"]] as const) {
        await mesh.node(name).eventually(
          `${name} and ${other} have moved for ${name}`,
          async () => {
            const [own, its] = [await tun.addresses(name), await mesh.peer(name, other)];
            return own.ipv4.startsWith("10.9.") &&
              its?.meshAddresses[0]?.startsWith("10.9.") === true;
          },
        );
      }
      const [a, b] = [await tun.addresses("a"), await tun.addresses("b")];
      await tun.untilPinged("a", b.ipv4, 10_000);
      await tun.untilPinged("b", a.ipv4, 10_000);
      assert.equal(b.ipv6, before.ipv6);
      for (const [name, { ipv4 }] of [["a", a], ["b", b]] as const) {
        const interfaces = await net.exec(name, "ip", "address", "show", "pulse0");
        assert.ok(interfaces.includes(` ${ipv4}/32 `), interfaces);
        assert.match(await routes(name), /10\.9\.0\.0\/16 dev pulse0/);
        for (const text of [interfaces, await routes(name)]) {
          assert.ok(!text.includes("10.7."), text);
        }
      }
      for (const old of [before.ipv4, "10.7.77.7"]) {
        assert.equal(await tun.pings("a", old, 2), false);
      }

      // The flag is only what a network begins with.
      await mesh.node("a").stop();
      await mesh.start("a", "--ca", "--scribe", "--tun", "--mesh-cidr", "10.7.0.0/16");
      assert.equal((await tun.addresses("a")).ipv4, a.ipv4);
      await tun.untilPinged("b", a.ipv4, 30_000);
    }, net);
  },
);

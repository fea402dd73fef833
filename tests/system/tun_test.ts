import assert from "node:assert/strict";
import { Lab, labTest } from "../lab/mod.ts";
import { withMesh } from "./system_mesh.ts";
import { TunMesh, tunNeeds } from "./tun_mesh.ts";

const fileBytes = 40_000_000;
/** Drops one UDP datagram of fifty on arrival. */
const lossy = `table inet lossy {
  chain arriving {
    type filter hook prerouting priority -400; policy accept;
    meta l4proto udp numgen random mod 50 == 0 drop
  }
}
`;

labTest(
  "two nodes exchange packets of all kinds in both families and directions; rules cut them, and addresses change inside and outside while all runs",
  tunNeeds,
  async () => {
    await using net = await Lab.create();
    for (const name of ["a", "b"]) await net.node(name);
    const lan = await net.bridge("lan", ["a", "b"]);
    await withMesh(async (mesh) => {
      const tun = new TunMesh(mesh, net);
      await tun.start("a", { b: lan.ipv4("a") });
      await tun.carried("a", "b", "fast");
      const [a, b] = [await tun.addresses("a"), await tun.addresses("b")];
      const [atA, atB] = await Promise.all([
        mesh.service("a", fileBytes, "::"),
        mesh.service("b", fileBytes, "::"),
      ]);
      await tun.untilPinged("a", b.ipv4, 30_000);
      await tun.untilPinged("b", a.ipv6, 30_000);
      // A WebSocket that won the race is replaced by QUIC within seconds.
      await mesh.linked("a", "b", "quic");
      assert.match(await mesh.ok("a", "status"), new RegExp(`${b.ipv4} +quic +fast `));
      await Promise.all([
        tun.fetchesFile("a", b.ipv4, atB),
        tun.fetchesFile("b", a.ipv4, atA),
        tun.fetchesFile("a", b.ipv6, atB),
        tun.fetchesFile("b", a.ipv6, atA),
        tun.exchangesDatagrams("a", b.ipv4, atB),
        tun.exchangesDatagrams("b", a.ipv6, atA),
      ]);

      const steady = await tun.steady("a", b.ipv4, atB);
      await steady.goesOn(mesh, "a", 30_000);
      // The old one first: of two in one range the kernel takes both away with the first.
      await net.exec("b", "ip", "address", "del", `${lan.ipv4("b")}/24`, "dev", "to-lan");
      await net.exec("b", "ip", "address", "add", "10.77.0.99/24", "dev", "to-lan");
      await steady.goesOn(mesh, "a", 30_000);

      Deno.kill(mesh.node("b").pid, "SIGSTOP");
      assert.equal(await tun.pings("a", b.ipv4, 3), false);
      Deno.kill(mesh.node("b").pid, "SIGCONT");
      const took = await tun.untilPinged("a", b.ipv4, 10_000);
      assert.ok(took < 5_000, `${Math.round(took)} ms until a ping was answered`);

      await mesh.ok("a", "acl", "add", "--deny", "--proto", "tcp", "--force");
      await mesh.ok("a", "acl", "add", "--force");
      await mesh.node("a").eventually("the connection is cut", async () => {
        const { turns, longestMs } = await steady.report();
        return turns === 0 && longestMs > 200;
      });
      await tun.untilPinged("a", b.ipv4, 30_000);
      await mesh.ok("a", "acl", "remove", "0", "--force");
      await steady.goesOn(mesh, "a", 30_000);

      await mesh.ok("a", "mesh-ip", mesh.id("b"), "10.100.77.7");
      await tun.untilPinged("a", "10.100.77.7", 10_000);
      assert.match(await net.exec("b", "ip", "address", "show", "pulse0"), / 10\.100\.77\.7\/32 /);
      assert.equal(await tun.pings("a", b.ipv4, 2), false);

      // Now the end that the other one has dialled, once that one is known to be where it is.
      const other = await tun.steady("a", "10.100.77.7", atB);
      await other.goesOn(mesh, "a", 30_000);
      await mesh.node("a").eventually(
        "b's new address is known",
        async () => (await mesh.peer("a", "b"))?.addresses?.includes("10.77.0.99:8443"),
      );
      await net.exec("a", "ip", "address", "del", `${lan.ipv4("a")}/24`, "dev", "to-lan");
      await net.exec("a", "ip", "address", "add", "10.77.0.98/24", "dev", "to-lan");
      await other.goesOn(mesh, "a", 30_000);
    }, net);
  },
);

labTest(
  "packets go through a relay by label, again when it comes back, and over QUIC when it comes back without a tunnel, under a connection that goes on",
  tunNeeds,
  async () => {
    await using net = await Lab.create();
    for (const name of ["a", "r", "c"]) await net.node(name);
    const [ar, rc] = [await net.link("a", "r"), await net.link("r", "c")];
    await withMesh(async (mesh) => {
      const tun = new TunMesh(mesh, net);
      await tun.start("r", { a: ar.ipv4("r"), c: rc.ipv4("r") }, ["--tun-queues", "1"]);
      await tun.carried("a", "c", "fast");
      const c = await tun.addresses("c");
      const service = await mesh.service("c", fileBytes, "::");
      await tun.untilPinged("a", c.ipv4, 30_000);
      await tun.fetchesFile("a", c.ipv4, service);
      await tun.exchangesDatagrams("a", c.ipv6, service);
      const steady = await tun.steady("a", c.ipv4, service);
      await steady.goesOn(mesh, "a", 30_000);

      await mesh.node("r").kill9();
      await mesh.start("r", "--ca", "--scribe", "--tun");
      await tun.carriedBy("r");
      await tun.carried("a", "c", "fast");
      await steady.goesOn(mesh, "a", 30_000);

      await mesh.node("r").stop();
      await mesh.start("r", "--ca", "--scribe");
      await tun.carried("a", "c", "quic");
      await steady.goesOn(mesh, "a", 30_000);
    }, net);
  },
);

labTest(
  "when one of two relays dies no connection is quiet for three seconds, and when UDP is shut then, all go on over WebSocket",
  tunNeeds,
  async () => {
    await using net = await Lab.create();
    for (const name of ["a", "r", "s", "c"]) {
      await net.node(name);
      // Where the kernel can, TCP tries again each second: how long it is quiet is then up to the tunnel.
      await net.run(name, ["sysctl", "-qw", "net.ipv4.tcp_rto_max_ms=1000"]);
    }
    const link = async (x: string, y: string) => await net.link(x, y);
    const [ar, rc, as, sc] = [
      await link("a", "r"),
      await link("r", "c"),
      await link("a", "s"),
      await link("s", "c"),
    ];
    await withMesh(async (mesh) => {
      const tun = new TunMesh(mesh, net);
      await tun.start("r", { s: (await link("r", "s")).ipv4("r") });
      const code = await mesh.invite("r", "--max-uses", "2");
      const via = { a: [ar.ipv4("r"), as.ipv4("s")], c: [rc.ipv4("r"), sc.ipv4("s")] };
      await Promise.all(
        Object.entries(via).map(async ([name, doors]) => {
          await mesh.ok(name, "join", code);
          await mesh.start(name, "--tun", ...doors.map((door) => `${door}:8443`));
        }),
      );
      await tun.carried("a", "c", "fast");
      const service = await mesh.service("c", 1_000, "::");
      const c = await tun.addresses("c");
      await tun.untilPinged("a", c.ipv4, 30_000);
      const connections = await Promise.all(
        Array.from({ length: 6 }, () => tun.steady("a", c.ipv4, service)),
      );
      const ends = { a: mesh.id("a"), c: mesh.id("c") };
      for (const relay of ["r", "s"]) {
        await mesh.node(relay).eventually("a path each way over no other relay", () => {
          const said = mesh.node(relay).logs();
          const path = (from: string, to: string) =>
            said.includes(`"packets are carried","path":"${from}>${mesh.id(relay)}>${to}"`);
          return path(ends.a, ends.c) && path(ends.c, ends.a);
        });
      }
      await mesh.node("s").eventually("both relays carry", async () => {
        const [r = 0, s = 0] = [
          await tun.metric("r", "relayed_segments"),
          await tun.metric("s", "relayed_segments"),
        ];
        return r > 0 && s > 0;
      });
      for (const one of connections) await one.report();
      await mesh.node("s").kill9();
      for (const one of connections) await one.goesOn(mesh, "a", 30_000, 3_000);

      await net.blockUdp("a", "r");
      for (const one of connections) await one.goesOn(mesh, "a", 30_000);
      assert.equal((await mesh.peer("a", "c"))?.carrier, "websocket");
    }, net);
  },
);

labTest(
  "over IPv6 and a wire that loses two datagrams of a hundred, files arrive whole and parity brings segments back",
  tunNeeds,
  async () => {
    await using net = await Lab.create();
    for (const name of ["a", "b"]) await net.node(name);
    const cable = await net.link("a", "b");
    // Each datagram alone, or a whole train would be lost at once.
    for (const { node, device } of cable.plugs) {
      await net.exec(node, "ip", "link", "set", device, "gso_max_segs", "1");
    }
    await withMesh(async (mesh) => {
      const tun = new TunMesh(mesh, net);
      await tun.start("a", { b: cable.ipv6("a") }, ["--fec", "--listen", "[::]:8443"]);
      await tun.carried("a", "b", "fast");
      const b = await tun.addresses("b");
      const service = await mesh.service("b", fileBytes, "::");
      await tun.untilPinged("a", b.ipv4, 30_000);
      for (const node of ["a", "b"]) {
        await net.nft(node, lossy);
      }
      await tun.fetchesFile("a", b.ipv4, service);
      await tun.fetchesFile("a", b.ipv6, service);
      await mesh.node("a").eventually(
        "segments are repaired",
        async () => await tun.metric("a", "repaired_segments_total") > 0,
      );
    }, net);
  },
);

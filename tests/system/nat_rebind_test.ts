import assert from "node:assert/strict";
import { Cable, eventually, Lab, labTest } from "../lab/mod.ts";
import { withMesh } from "./system_mesh.ts";
import { TunMesh, tunNeeds } from "./tun_mesh.ts";

const fileBytes = 64_000_000;

labTest(
  "a NAT that changes its ports in the middle of a transfer costs neither a byte nor the session",
  { commands: ["curl"] },
  async () => {
    await withMesh(async (mesh) => {
      const loopback = ["--listen", "127.0.0.1:0", "--addr", "none"];
      const relay = await mesh.start("b", ...loopback, "--ca", "--allow-local", "all");
      const port = Number((await relay.status()).self.listen.quic?.split(":").at(-1));
      await using cable = await Cable.create({ port });
      const door = `127.0.0.1:${cable.port}`;
      await mesh.ok("a", "join", await mesh.invite("b", "--relay", door));
      const a = await mesh.start(
        "a",
        ...loopback,
        // On a busy machine a WebSocket may come up first, and go: this is about QUIC's session.
        "--no-websocket",
        "--socks-listen",
        "127.0.0.1:0",
        "--socks",
        door,
      );
      const socks = mesh.socksPort("a");
      const service = await mesh.service("b", fileBytes);
      await mesh.linked("a", "b", "quic");
      const fetching = mesh.curl(
        "a",
        ...["--socks5-hostname", `127.0.0.1:${socks}`],
        `http://${mesh.id("b")}.pulse:${service.http}/file`,
      );
      for (const at of [10_000_000, 25_000_000, 40_000_000]) {
        await eventually(() => cable.bytes.udp.fromTarget > at, {
          what: `${at} bytes have come through`,
          intervalMs: 1,
        });
        assert.ok(cable.bytes.udp.fromTarget < fileBytes, "in the middle of the transfer");
        cable.rebindUdp();
      }
      const { code, stderr, sha256 } = await fetching;
      assert.deepEqual([code, stderr, sha256], [0, "", service.sha256]);
      const peer = await mesh.linked("a", "b", "quic");
      assert.ok(peer.bytesIn > fileBytes, "all over one session");
      assert.equal(a.logs().match(/"session up"/g)?.length, 1);
      assert.doesNotMatch(a.logs(), /"session down"/);
      assert.doesNotMatch(relay.logs(), /"session down"/);
    });
  },
);

/** A NAT towards `to-b` with ports of one thousand; counts UDP that comes back to them. */
const nat = (thousand: number) =>
  `table ip nat {}
delete table ip nat
table ip nat {
  chain leaving {
    type nat hook postrouting priority 100; policy accept;
    ip protocol { tcp, udp } oifname "to-b" masquerade to :${thousand}000-${thousand}999
  }
  chain back {
    type filter hook prerouting priority -400; policy accept;
    iifname "to-b" udp dport ${thousand}000-${thousand}999 counter
  }
}
`;

labTest(
  "packets go on when a NAT gives both the session and them other ports, under a connection of theirs",
  tunNeeds,
  async () => {
    await using net = await Lab.create();
    for (const name of ["a", "nat", "b"]) await net.node(name);
    const [inside, outside] = [await net.link("a", "nat"), await net.link("nat", "b")];
    await net.exec("nat", "sysctl", "-qw", "net.ipv4.ip_forward=1");
    await net.exec("a", "ip", "route", "add", "default", "via", inside.ipv4("nat"));
    await net.nft("nat", nat(20));
    await withMesh(async (mesh) => {
      const tun = new TunMesh(mesh, net);
      await tun.start("b", { a: outside.ipv4("b") });
      await tun.carried("a", "b", "fast");
      const b = await tun.addresses("b");
      const service = await mesh.service("b", 1_000, "::");
      await tun.untilPinged("a", b.ipv4, 30_000);
      const steady = await tun.steady("a", b.ipv4, service);
      await steady.goesOn(mesh, "a", 30_000);

      await net.nft("nat", nat(30));
      // With the interface the kernel forgets what it has given through it.
      await outside.cut("nat");
      await outside.heal("nat");
      await steady.goesOn(mesh, "a", 30_000);
      await mesh.node("a").eventually("the new ports are used", async () => {
        const table = await net.exec("nat", "nft", "list", "table", "ip", "nat");
        return Number(/counter packets (\d+)/.exec(table)?.[1]) > 20;
      });
      await tun.carried("a", "b", "fast");
      await steady.goesOn(mesh, "a", 30_000);
    }, net);
  },
);

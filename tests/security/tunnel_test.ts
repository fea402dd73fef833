import assert from "node:assert/strict";
import { makePacket, type PacketFields } from "../../plugins/tun-fec/packet/testing.ts";
import { magic, segmentKind } from "../../plugins/tun-fec/wire/segment.ts";
import { JsonChild } from "../bench/json_child.ts";
import { eventually, Lab, labTest, openFiles, residentBytes } from "../lab/mod.ts";
import { withMesh } from "../system/system_mesh.ts";
import { TunMesh, tunNeeds } from "../system/tun_mesh.ts";
import type { RogueAct } from "./fixtures/rogue_tunnel.ts";

const packet = (fields: PacketFields) => makePacket(fields).toHex();

labTest(
  "nothing of a member that lies in its packets reaches the interface, and nothing of strangers is answered or kept",
  tunNeeds,
  async () => {
    await using net = await Lab.create();
    for (const name of ["a", "b", "rogue"]) await net.node(name);
    const lan = await net.bridge("lan", ["a", "b", "rogue"]);
    await withMesh(async (mesh) => {
      const tun = new TunMesh(mesh, net);
      await tun.start("a", { b: lan.ipv4("a") });
      await mesh.ok("rogue", "join", await mesh.invite("a"));
      const rogue = mesh.fixture(
        "rogue",
        "../../security/fixtures/rogue_tunnel.ts",
        mesh.dataDir("rogue"),
        mesh.id("a"),
        `${lan.ipv4("a")}:8443`,
      );
      assert.equal(await rogue.line(), "ready");
      const { id } = JSON.parse(await mesh.ok("rogue", "id", "--json"));
      const [a, b] = [await tun.addresses("a"), await tun.addresses("b")];
      const self = await mesh.node("a").eventually("the rogue", async () => {
        const { peers } = await mesh.node("a").status();
        return peers.find((peer) => peer.id === id && peer.carrier === "fast")?.meshAddresses;
      });
      await mesh.ok("a", "acl", "add", "--proto", "udp", "--ports", "9000", "--force");
      await mesh.ok("a", "acl", "add", "--proto", "icmp", "--force");
      await mesh.ok("a", "acl", "add", "--from", mesh.id("b"), "--force");
      const service = await mesh.service("a", 1_000, "::");
      const steady = await tun.steady("b", a.ipv4, service);
      await steady.goesOn(mesh, "b", 30_000);

      const [self4 = "", self6 = ""] = self;
      const udp = { source: self4, destination: a.ipv4, protocol: "udp" } as const;
      const udp6 = { source: self6, destination: a.ipv6, protocol: "udp" } as const;
      const open = { ...udp, destinationPort: 9_000 };
      const good = packet(open);
      const seal = (...packets: string[]) =>
        packets.map((one): RogueAct => ({ act: "seal", packet: one }));
      const payload = new Uint8Array(32);
      const fragment = { ...udp, payload };
      const firstParts = [udp, udp6].map((fields) =>
        packet({ ...fields, payload, destinationPort: 9_000, moreFragments: true })
      );
      const tooLong = (at: number, value: number) => {
        const bytes = Uint8Array.fromHex(good);
        bytes[at] = value;
        return bytes.toHex();
      };
      const attacks: Record<string, RogueAct[]> = {
        // So that the rest means something. The others are first parts of larger ones.
        [`received_packets_total\\{peer="${id}"\\}`]: seal(good, ...firstParts),
        replayed: [{ act: "replay" }, { act: "replay" }],
        source: seal(
          ...[b.ipv4, a.ipv4, "192.0.2.1"].map((source) => packet({ ...open, source })),
        ),
        destination: seal(
          ...[b.ipv4, "192.0.2.1"].map((destination) => packet({ ...open, destination })),
        ),
        // Every tenth bit of nonce, ciphertext and tag, then noise under a key that there is, and under none.
        forged: [
          ...Array.from({ length: 45 }, (_, n): RogueAct => ({
            act: "flip",
            packet: good,
            bit: 64 + n * 10,
          })),
          ...Array.from({ length: 64 }, (): RogueAct => ({ act: "noise", known: true })),
        ],
        // Names of keys and labels of paths are of one number space: these are forged labels, too.
        unknownReceiver: Array.from({ length: 64 }, () => ({ act: "noise", known: false })),
        // What would take the place of the first part that was allowed.
        policy: seal(
          packet({ ...fragment, destinationPort: service.udp, moreFragments: true }),
          packet({ ...udp, protocol: "tcp", destinationPort: service.echo, tcpFlags: 2 }),
        ),
        // Parts of what was never allowed, and parts that lie over the headers of what was.
        fragment: seal(
          ...[16, 24, 1_480].map((fragmentOffset) =>
            packet({ ...fragment, protocol: "tcp", fragmentOffset })
          ),
          ...[udp, udp6].flatMap((fields) =>
            [8, 24, 56].map((fragmentOffset) => packet({ ...fields, payload, fragmentOffset }))
          ),
        ),
        // Headers longer than the packet, lengths beyond its end, half a packet and none; parts of what no packet can be, or that
        // move the header behind them.
        unparsable: seal(
          tooLong(0, 0x4f),
          tooLong(3, 200),
          good.slice(0, 30),
          "",
          packet({ ...fragment, fragmentOffset: 65_504 }),
          packet({ ...udp6, payload, fragmentOffset: 65_504 }),
          packet({ ...udp6, protocol: 60, payload, moreFragments: true }),
        ),
      };
      const names = Object.keys(attacks).map((name) =>
        name.includes("total") ? name : `dropped_total\\{reason="${name}"\\}`
      );
      const count = async () => await Promise.all(names.map((name) => tun.metric("a", name)));
      const before = await count();
      await rogue.write(`${JSON.stringify(Object.values(attacks).flat())}\n`);
      assert.equal(await rogue.line(), "done");
      const expected = Object.values(attacks).map(({ length }) => length);
      await mesh.node("a").eventually("each is counted for what it is", async () => {
        const [accepted, ...dropped] = (await count()).map((now, n) => now - before[n]!);
        assert.equal(accepted, expected[0]);
        // The victim's own system may send what the rules are against, too.
        assert.ok(dropped.every((grown, n) => grown >= expected[n + 1]!), dropped.join());
        return true;
      }, 15_000);

      await steady.report();
      const memory = residentBytes(mesh.node("a").pid);
      await rogue.write(`${JSON.stringify([{ act: "flood", count: 60_032 }])}\n`);
      assert.equal(await rogue.line(), "done");
      await steady.goesOn(mesh, "b", 30_000, 2_000);
      const grown = residentBytes(mesh.node("a").pid) - memory;
      assert.ok(grown < 32 << 20, `${grown} bytes more`);

      // Strangers, at the packets' end of the port and at QUIC's.
      const module = new URL("../bench/peers/flood.ts", import.meta.url);
      const inside = ["ip", "netns", "exec", net.namespace("rogue")];
      await using flood = new JsonChild(module, [lan.ipv4("a")], inside);
      const files = openFiles(mesh.node("a").pid);
      for (const head of [(magic * 256 + segmentKind.data).toString(16), ""]) {
        await flood.call({ port: 8_443, perSecond: 50_000, head });
        await steady.goesOn(mesh, "b", 30_000, 2_000);
        await eventually(async () => await flood.number({ sent: true }, "sent") > 50_000, {
          what: "a second's flood",
        });
        await flood.call({ stop: true });
      }
      const more = residentBytes(mesh.node("a").pid) - memory;
      assert.ok(more < 48 << 20, `${more} bytes more`);
      assert.equal(openFiles(mesh.node("a").pid), files);
      // One ping may be lost in what is left of the flood in the socket; the way is open.
      await tun.untilPinged("a", b.ipv4, 10_000);
    }, net);
  },
);

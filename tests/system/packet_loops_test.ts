import assert from "node:assert/strict";
import { Iperf } from "../bench/packets/iperf.ts";
import { labTest } from "../lab/mod.ts";
import { inner4, inner6, megabyte, packetPair, transfer } from "./packet_pair.ts";

const needs = { namespaces: true, tun: true, commands: ["ping"] } as const;
for (const outer of ["ipv4", "ipv6"] as const) {
  labTest(`packets of both families go between two loops over ${outer}`, needs, async () => {
    await using stack = new AsyncDisposableStack();
    const { lab, a, b } = await packetPair(stack, { outer });
    for (const address of [inner4("b"), inner6("b")]) {
      await lab.exec("a", "ping", "-c3", "-i0.05", "-w20", address);
      // Of several segments, each way. Once the path's size is known the first is answered with it, and the rest come in parts.
      await lab.exec("a", "ping", "-c3", "-i0.05", "-W20", "-s8000", address);
    }
    for (const [from, to] of [["a", "b"], ["b", "a"]] as const) {
      for (const address of [inner4(to), inner6(to)]) {
        const { sent, received } = await transfer(lab, from, to, address, 4 * megabyte);
        assert.deepEqual(received, sent);
      }
    }
    for (const node of [a, b]) {
      const { peers: [peer], drops } = await node.stats();
      assert.equal(peer?.carrier, "fast");
      assert.ok(peer.bytesIn > 7 * megabyte && peer.bytesOut > 7 * megabyte);
      assert.deepEqual(
        [drops.forged, drops.replayed, drops.unparsable, drops.source],
        [undefined, undefined, undefined, undefined],
      );
    }
  });
}

labTest("TCP comes through whole when datagrams are lost and the wire carries each alone", {
  ...needs,
  commands: [...needs.commands, "ethtool"],
}, async () => {
  await using stack = new AsyncDisposableStack();
  const { lab, cable, b } = await packetPair(stack);
  await cable.splitTrains();
  await cable.loseUdp(20);
  const { sent, received } = await transfer(lab, "a", "b", inner4("b"), 8 * megabyte);
  assert.deepEqual(received, sent);
  const { drops } = await b.stats();
  assert.ok((drops.gap ?? 0) > 0, "something was lost");
});

labTest("iperf3 moves bytes in both directions and families, over TCP and UDP", {
  ...needs,
  commands: ["iperf3"],
}, async () => {
  await using stack = new AsyncDisposableStack();
  const { lab } = await packetPair(stack);
  const iperf = await Iperf.start(lab, "a", "b");
  for (const address of [inner4("b"), inner6("b")]) {
    for (const direction of ["there", "back"] as const) {
      const { bytes } = await iperf.tcp(address, 1, 2, direction);
      assert.ok(bytes > megabyte, `${bytes} bytes ${direction}`);
    }
    const { perSecond, lost } = await iperf.udp(address, 1, 1_200, 500);
    assert.ok(perSecond > 0 && lost < 1, `${perSecond} datagrams a second, ${lost} lost`);
  }
});

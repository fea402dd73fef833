import assert from "node:assert/strict";
import { eventually, labTest } from "../lab/mod.ts";
import { inner4, megabyte, packetPair, transfer } from "./packet_pair.ts";

const needs = { namespaces: true, tun: true, commands: ["ping", "ethtool"] } as const;

/** Datagrams with more payload vanish, and nobody is told. */
const swallows = (payload: number) =>
  `table inet narrow {
  chain arriving {
    type filter hook prerouting priority -300; policy accept;
    meta l4proto udp udp length > ${payload + 8} drop
  }
}
`;

labTest("a transfer goes on when its path begins to swallow large datagrams", needs, async () => {
  await using stack = new AsyncDisposableStack();
  const { lab, cable, a, b } = await packetPair(stack);
  // So that each datagram is seen for itself.
  await cable.splitTrains();
  const pings = lab.spawn("a", ["ping", "-q", "-i0.1", inner4("b")], { stdout: "null" });
  const carries = async (bytes: number) => {
    while ((await a.heard("pathMtu")).bytes !== bytes);
  };
  await carries(1_472);
  const moving = transfer(lab, "a", "b", inner4("b"), 96 * megabyte);
  const moved = async () => (await b.stats()).peers[0]!.bytesIn;
  await eventually(async () => await moved() > megabyte, { what: "the transfer to run" });
  for (const node of ["b", "a"]) await lab.nft(node, swallows(1_400));
  const { sent, received } = await moving;
  assert.deepEqual(received, sent);
  await carries(1_392);
  pings.kill("SIGKILL");
  await pings.status;
});

labTest("parity brings back what a path loses", needs, async () => {
  await using stack = new AsyncDisposableStack();
  const { lab, cable, a, b } = await packetPair(stack, { fec: true });
  await cable.splitTrains();
  await cable.loseUdp(50);
  const ping = async (count: number) => {
    const argv = ["ping", "-q", "-i0.002", "-c", `${count}`, "-W2", inner4("b")];
    const { stdout } = await lab.run("a", argv, { timeoutMs: 40_000 });
    return Number(/, ([\d.]+)% packet loss/.exec(stdout)?.[1]);
  };
  await ping(1_000);
  const lost = await ping(1_500);
  // Of 5 % each way 9.75 % would stay lost.
  assert.ok(lost < 2, `${lost} % of pings stayed lost`);
  for (const node of [a, b]) {
    const [peer] = (await node.stats()).peers;
    assert.ok(peer!.repaired > 50, `${peer!.repaired} of ${peer!.lost} were repaired`);
  }
});

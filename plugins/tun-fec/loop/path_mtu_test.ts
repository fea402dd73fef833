import assert from "node:assert/strict";
import { fold, pseudoHeaderSum, sumWords } from "../super_packet/checksum.ts";
import { makeSuperPacket } from "../super_packet/testing.ts";
import { virtioHeader } from "../super_packet/virtio_header.ts";
import type { PacketFields } from "../packet/testing.ts";
import { cut, type FakeNetwork, fromTun } from "./testing.ts";
import {
  directPath,
  endpointOf,
  hex,
  idOf,
  makePair,
  settle,
  type TestNode,
} from "./testing_mesh.ts";

const bulk = makeSuperPacket({
  six: false,
  protocol: "tcp",
  payload: new Uint8Array(30_000).fill(5),
  gsoSize: 1_360,
});

/** A path that takes datagrams of so many bytes, and says nothing of larger ones. */
function limit(network: FakeNetwork, bytes: number): void {
  network.change = (message) => cut(message).filter((each) => each.bytes.length <= bytes);
}

/** Lets time pass, with a packet in every step of it. */
function run(nodes: readonly TestNode[], from: number, ms: number, packet = bulk): number {
  for (let now = from; now < from + ms; now += 50) {
    nodes[0]!.ports.tun.sent.push(packet);
    settle(nodes, now);
    for (const { loop } of nodes) loop.tick(now);
    settle(nodes, now);
  }
  return from + ms;
}

function udp(bytes: number, more: Partial<PacketFields> = {}): Uint8Array {
  return fromTun({
    source: "10.100.0.1",
    destination: "10.100.0.2",
    protocol: "udp",
    payload: new Uint8Array(bytes),
    ...more,
  });
}

Deno.test("the size of segments grows to what the path takes, and it is said", () => {
  const { network, a, b } = makePair();
  limit(network, 1_472);
  run([a, b], 1_000, 500);
  assert.deepEqual(a.ports.heard("pathMtu"), [{ say: "pathMtu", peer: 1, bytes: 1_472 }]);
  network.log.length = 0;
  a.ports.tun.sent.push(bulk);
  a.loop.turn(2_000);
  assert.equal(network.log[0]?.segment, 1_472);
});

Deno.test("an interface with a smaller size is found without a datagram", () => {
  const { network, a, b } = makePair();
  a.ports.wire.mtu = 1_400;
  run([a, b], 1_000, 500);
  assert.equal(a.ports.heard("pathMtu").at(-1)?.bytes, 1_392);
  // It becomes smaller still while it is used: one train is lost.
  a.ports.wire.mtu = 1_300;
  b.ports.tun.received.length = 0;
  run([a, b], 2_000, 500);
  assert.equal(b.ports.tun.received.length, 9);
  assert.equal(a.ports.heard("pathMtu").at(-1)?.bytes, 1_292);
  assert.ok(network.log.every(({ segment }) => segment <= 1_392));
});

Deno.test("when the path becomes smaller under a transfer, it goes on within two seconds", () => {
  const { network, a, b } = makePair();
  limit(network, 1_472);
  let now = run([a, b], 1_000, 2_000);
  limit(network, 1_300);
  now = run([a, b], now, 2_000);
  assert.equal(a.ports.heard("pathMtu").at(-1)?.bytes, 1_292);
  b.ports.tun.received.length = 0;
  run([a, b], now, 500);
  assert.deepEqual(hex(b.ports.tun.received), Array.from({ length: 10 }, () => bulk.toHex()));
});

Deno.test("a packet that is not to be cut, and is too large, is answered in its sender's own terms", () => {
  const { network, a, b } = makePair();
  limit(network, 1_412);
  const now = run([a, b], 1_000, 2_000);
  const mtu = 1_412 - 36 - virtioHeader;
  b.ports.tun.received.length = 0;
  const fits = udp(mtu - 28, { dontFragment: true });
  const large = udp(mtu - 27, { dontFragment: true });
  a.ports.tun.sent.push(fits, large, udp(mtu - 27));
  settle([a, b], now);
  assert.deepEqual(hex(b.ports.tun.received), hex([fits, udp(mtu - 27)]));
  const [answer] = a.ports.tun.received as [Uint8Array];
  const view = new DataView(answer.buffer, virtioHeader);
  const packet = answer.subarray(virtioHeader);
  assert.equal(a.ports.tun.received.length, 1);
  assert.equal(view.getUint16(2), packet.length);
  assert.equal(packet.subarray(12, 20).toHex(), "0a640002" + "0a640001");
  assert.equal(packet.subarray(20, 22).toHex(), "0304");
  assert.equal(view.getUint16(26), mtu);
  assert.equal(fold(sumWords(view, 0, 20)), 0xffff);
  assert.equal(fold(sumWords(view, 20, packet.length - 20)), 0xffff);
  const quoted = large.subarray(virtioHeader, virtioHeader + 28);
  assert.equal(packet.subarray(28).toHex(), quoted.toHex());
  assert.equal(a.stats().drops.tooBig, 1);
});

Deno.test("so is one of IPv6, which nobody may cut; what is a super-packet is cut as the path has it", () => {
  const { network, a, b } = makePair();
  limit(network, 1_412);
  const now = run([a, b], 1_000, 2_000);
  const mtu = 1_412 - 36 - virtioHeader;
  const six = { source: "fd00::1", destination: "fd00::2" };
  const large = udp(mtu - 47, six);
  b.ports.tun.received.length = 0;
  const bulk6 = makeSuperPacket({
    six: true,
    protocol: "tcp",
    payload: new Uint8Array(9_000),
    gsoSize: 1_400,
  });
  a.ports.tun.sent.push(large, bulk6);
  settle([a, b], now);
  assert.deepEqual(hex(b.ports.tun.received), hex([bulk6]));
  const [answer] = a.ports.tun.received as [Uint8Array];
  const packet = answer.subarray(virtioHeader);
  const view = new DataView(answer.buffer, virtioHeader);
  assert.equal(packet.length, 1_280);
  assert.equal(packet[6], 58);
  assert.equal(packet.subarray(40, 42).toHex(), "0200");
  assert.equal(view.getUint32(44), mtu);
  const pseudo = pseudoHeaderSum(view, 0, 58, packet.length - 40);
  assert.equal(fold(sumWords(view, 40, packet.length - 40, pseudo)), 0xffff);
  assert.ok(large.toHex().includes(packet.subarray(48).toHex()));
});

Deno.test("while the size is not known, and where the path takes less than anybody must, packets go in pieces", () => {
  const { network, a, b } = makePair();
  const large = udp(1_372, { dontFragment: true });
  const large6 = udp(1_300, { source: "fd00::1", destination: "fd00::2" });
  a.ports.tun.sent.push(large, large6);
  settle([a, b], 1_000);
  limit(network, 1_260);
  const now = run([a, b], 1_000, 2_000);
  b.ports.tun.received.length = 0;
  a.ports.tun.sent.push(large6);
  settle([a, b], now);
  assert.deepEqual(hex(b.ports.tun.received), hex([large6]));
  assert.deepEqual([a.ports.tun.received.length, a.stats().drops.tooBig], [0, undefined]);
});

Deno.test("errors are not answered, and of everything else so many in a second", () => {
  const { network, a, b } = makePair();
  limit(network, 1_412);
  const now = run([a, b], 1_000, 2_000);
  const error = udp(1_390, { protocol: "icmp", icmpType: 3, dontFragment: true });
  a.ports.tun.sent.push(
    error,
    ...Array.from({ length: 150 }, () => udp(1_390, { dontFragment: true })),
  );
  settle([a, b], now);
  assert.equal(a.ports.tun.received.length, 100);
});

Deno.test("flows leave a way that answers no more for one that does, and come back to it", () => {
  const { network, a, b, know } = makePair();
  const second = { endpoint: "192.0.2.3:300", via: idOf("r"), label: 5, weight: 1 };
  // What goes by the second way comes out at the same place.
  let cutOff = "";
  network.change = (message) =>
    message.to === cutOff
      ? []
      : [{ ...message, to: message.to === second.endpoint ? endpointOf.b : message.to }];
  const relabel = (message: typeof network.log[0]) => {
    const bytes = message.bytes.slice();
    new DataView(bytes.buffer).setUint32(4, 1_002);
    return { ...message, bytes };
  };
  const change = network.change;
  network.change = (message) =>
    change(
      message.to === second.endpoint && message.segment === message.bytes.length
        ? relabel(message)
        : message,
    );
  know(a, "b", { paths: [directPath("b"), second] });
  const flows = Array.from(
    { length: 12 },
    (_, port) => udp(30, { sourcePort: port, destinationPort: port * 7 }),
  );
  const used = (now: number) => {
    const ways = new Set<string>();
    for (const flow of flows) {
      a.ports.tun.sent.push(flow);
      network.log.length = 0;
      a.loop.turn(now);
      ways.add(network.log[0]!.to);
    }
    settle([a, b], now);
    return [...ways].sort();
  };
  let now = run([a, b], 1_000, 1_000, flows[0]);
  assert.deepEqual(used(now), [endpointOf.b, second.endpoint]);
  cutOff = second.endpoint;
  const cutAt = now;
  while (used(now).includes(second.endpoint)) now = run([a, b], now, 50, flows[0]);
  assert.ok(now - cutAt <= 1_000, `${now - cutAt} ms`);
  b.ports.tun.received.length = 0;
  used(now);
  assert.equal(b.ports.tun.received.length, flows.length);
  cutOff = "";
  now = run([a, b], now, 1_500, flows[0]);
  assert.deepEqual(used(now), [endpointOf.b, second.endpoint]);
});

import assert from "node:assert/strict";
import { makeSuperPacket, segmentLikeTheKernel } from "../super_packet/testing.ts";
import { gsoType } from "../super_packet/virtio_header.ts";
import { answer } from "./ports.ts";
import { fromTun } from "./testing.ts";
import { hex, makePair, settle } from "./testing_mesh.ts";

const datagram = (port: number, fill = 1, bytes = 100) =>
  fromTun({
    source: "10.100.0.1",
    destination: "10.100.0.2",
    protocol: "udp",
    destinationPort: port,
    payload: new Uint8Array(bytes).fill(fill),
  }, true);

const payloads = (packets: readonly Uint8Array[]) =>
  packets.flatMap(segmentLikeTheKernel).map(({ payload }) => payload);

Deno.test("datagrams of a flow that arrive together are handed over together, others in their order", () => {
  const { a, b } = makePair();
  const sent = [...Array.from({ length: 20 }, (_, i) => datagram(1, i)), datagram(2), datagram(1)];
  a.ports.tun.sent.push(...sent);
  settle([a, b]);
  const { received } = b.ports.tun;
  assert.equal(received.length, 3);
  assert.deepEqual(payloads(received), payloads(sent));
  assert.equal(b.stats().peers[0]?.packetsIn, sent.length);
});

Deno.test("they do not overtake what came before them", () => {
  const { a, b } = makePair();
  const ping = fromTun({ source: "10.100.0.1", destination: "10.100.0.2", protocol: "icmp" });
  a.ports.tun.sent.push(datagram(1), datagram(1), ping, datagram(1));
  settle([a, b]);
  assert.deepEqual(hex(b.ports.tun.received.slice(1)), hex([ping, datagram(1)]));
});

Deno.test("a kernel that does not cut datagrams gets each for itself, and is not asked again", () => {
  const { a, b } = makePair();
  let refused = 0;
  b.ports.tun.refuse = (packet) => {
    if (packet[1] !== gsoType.udp) return 0;
    refused++;
    return answer.invalid;
  };
  const sent = [datagram(1, 1), datagram(1, 2), datagram(1, 3, 50)];
  a.ports.tun.sent.push(...sent);
  settle([a, b]);
  a.ports.tun.sent.push(...sent);
  settle([a, b]);
  assert.deepEqual(hex(b.ports.tun.received), hex([...sent, ...sent]));
  assert.equal(refused, 1);
  // What another kernel made a super-packet of is cut here.
  const bulk = makeSuperPacket({
    six: true,
    protocol: "udp",
    payload: Uint8Array.from({ length: 20_000 }, (_, i) => i * 3),
    gsoSize: 1_300,
  });
  b.ports.tun.received.length = 0;
  a.ports.tun.sent.push(bulk);
  settle([a, b]);
  assert.equal(b.ports.tun.received.length, 16);
  assert.deepEqual(payloads(b.ports.tun.received), payloads([bulk]));
  assert.equal(b.stats().drops.interface, undefined);
});

Deno.test("what the interface refuses for another reason is counted", () => {
  const { a, b } = makePair();
  b.ports.tun.refuse = () => answer.io;
  a.ports.tun.sent.push(datagram(1), datagram(1), datagram(2));
  settle([a, b]);
  assert.equal(b.stats().drops.interface, 3);
});

import assert from "node:assert/strict";
import { makeSuperPacket, segmentLikeTheKernel } from "../super_packet/testing.ts";
import { virtioHeader } from "../super_packet/virtio_header.ts";
import { segmentOverhead } from "../wire/segment.ts";
import { ecn } from "./ecn.ts";
import { smallestPath } from "./limits.ts";
import { fromTun, openRules } from "./testing.ts";
import { endpointOf, exchangeKeys, hex, makePair, settle, testKey } from "./testing_mesh.ts";

const [fromA, toB] = [{ source: "10.100.0.1" }, { destination: "10.100.0.2" }];
const ping = fromTun({ ...fromA, ...toB, protocol: "icmp", sourcePort: 7 });
const udp = (port: number, bytes = 20) =>
  fromTun({
    ...fromA,
    ...toB,
    protocol: "udp",
    destinationPort: port,
    payload: new Uint8Array(bytes).fill(port),
  });
const bulk = (bytes: number, protocol: "tcp" | "udp" = "tcp", six = false) =>
  makeSuperPacket({
    six,
    protocol,
    payload: Uint8Array.from({ length: bytes }, (_, i) => i * 7 + (i >> 8)),
    gsoSize: 1_360,
  });

Deno.test("a packet comes out of the other interface as it went in", () => {
  const { network, a, b } = makePair();
  const packets = [ping, udp(5), bulk(60_000), bulk(60_000, "udp"), bulk(3_000, "tcp", true)];
  a.ports.tun.sent.push(...packets);
  settle([a, b]);
  assert.deepEqual(hex(b.ports.tun.received), hex(packets));
  assert.deepEqual(a.stats().drops, {});
  assert.deepEqual(b.stats().drops, {});
  for (const { bytes } of network.log) {
    assert.ok(!bytes.toHex().includes(ping.subarray(virtioHeader).toHex()), "sealed");
  }
});

Deno.test("both count what was carried, and the session's key", () => {
  const { a, b } = makePair();
  a.ports.tun.sent.push(ping, ping);
  settle([a, b]);
  const bytes = 2 * (ping.length - virtioHeader);
  const [sent] = a.stats().peers;
  const [received] = b.stats().peers;
  assert.deepEqual([sent?.packetsOut, sent?.bytesOut, sent?.epoch], [2, bytes, 1]);
  assert.deepEqual([received?.packetsIn, received?.bytesIn], [2, bytes]);
  assert.equal(sent?.carrier, "fast");
});

Deno.test("a large packet leaves in one send, its segments all of one size", () => {
  const { network, a } = makePair();
  a.ports.tun.sent.push(bulk(60_000));
  a.loop.turn(0);
  assert.equal(network.log.length, 1);
  const [{ bytes, segment, to }] = network.log as [typeof network.log[0]];
  assert.deepEqual([segment, to], [smallestPath.ipv4, endpointOf.b]);
  const packet = 60_000 + virtioHeader + 40;
  const count = Math.ceil((packet + virtioHeader + 40) / (segment - segmentOverhead));
  assert.equal(bytes.length, packet + virtioHeader + 40 + count * segmentOverhead);
});

Deno.test("small packets share a send while they do not grow", () => {
  const { network, a, b } = makePair();
  const packets = [udp(1, 50), udp(2, 50), udp(3, 10), udp(4, 50)];
  a.ports.tun.sent.push(...packets);
  settle([a, b]);
  assert.equal(network.log.length, 2);
  assert.deepEqual(hex(b.ports.tun.received), hex(packets));
});

Deno.test("more than a send may have goes in several", () => {
  const { network, a, b } = makePair();
  const packets = Array.from({ length: 64 * 2 }, (_, port) => udp(port, 10));
  a.ports.tun.sent.push(...packets, bulk(65_000));
  settle([a, b]);
  assert.equal(b.ports.tun.received.length, packets.length + 1);
  for (const { bytes, segment } of network.log) {
    assert.ok(bytes.length <= 65_507 && Math.ceil(bytes.length / segment) <= 64);
  }
});

Deno.test("every datagram may arrive alone, and a little out of order", () => {
  for (const by of [0, 1, 2]) {
    const { network, a, b } = makePair();
    network.alone();
    const packets = [bulk(20_000), bulk(1_000), udp(9, 2_000)];
    a.ports.tun.sent.push(packets[0]!);
    a.loop.turn(1_000);
    const { arrived } = b.ports.wire;
    for (let i = 0; i + by < arrived.length; i += by + 1) {
      arrived.splice(i, 0, ...arrived.splice(i + by, 1));
    }
    a.ports.tun.sent.push(...packets.slice(1));
    settle([a, b]);
    b.loop.tick(1_020);
    const wire = (all: readonly Uint8Array[]) =>
      all.flatMap(segmentLikeTheKernel).map(({ bytes }) => bytes).join();
    assert.ok(wire(b.ports.tun.received) === wire(packets), `${by} places`);
    assert.deepEqual(b.stats().drops, {});
  }
});

Deno.test("of a packet with a lost segment everything else arrives, before what follows it", () => {
  const { network, a, b } = makePair();
  let n = 0;
  network.alone(() => n++ !== 10);
  const packets = [bulk(60_000), bulk(60_000)];
  a.ports.tun.sent.push(...packets);
  settle([a, b]);
  const { received } = b.ports.tun;
  assert.equal(received.length, 3, "two stretches and a whole packet");
  assert.equal(received.at(-1)!.toHex(), packets[1]!.toHex());
  const bytes = received.slice(0, 2).flatMap(segmentLikeTheKernel)
    .reduce((sum, { payload }) => sum + payload.length / 2, 0);
  assert.equal(bytes, 60_000 - (smallestPath.ipv4 - segmentOverhead));
  assert.equal(b.stats().drops.gap, 1);
});

Deno.test("what is missing at the end is waited for, but not for long", () => {
  const { network, a, b } = makePair();
  let n = 0;
  network.alone(() => n++ < 21);
  a.ports.tun.sent.push(bulk(60_000));
  a.loop.turn(1_000);
  const [late] = b.ports.wire.arrived.splice(20) as [typeof network.log[0]];
  settle([a, b], 1_000);
  assert.equal(b.ports.tun.received.length, 0);
  assert.ok(b.loop.tick(1_000) <= 25, "it is looked at soon");
  // Over a slow path a packet takes as long as it takes; what counts is that nothing more comes.
  b.loop.tick(1_020);
  b.ports.wire.arrived.push(late);
  b.loop.turn(1_020);
  b.loop.tick(1_040);
  assert.equal(b.ports.tun.received.length, 0);
  b.loop.tick(1_046);
  assert.equal(b.ports.tun.received.length, 1);
  assert.ok(b.loop.tick(1_047) > 1);
});

Deno.test("nothing is taken for lost while more waits to be received, however long this takes", () => {
  const { network, a, b } = makePair();
  network.alone();
  a.ports.tun.sent.push(bulk(60_000), bulk(60_000));
  settle([a], 1_000);
  for (let now = 1_000; now < 1_500; now += 100) {
    b.loop.turn(now);
    b.loop.tick(now + 90);
  }
  assert.deepEqual(hex(b.ports.tun.received), hex([bulk(60_000), bulk(60_000)]));
  assert.deepEqual(b.stats().drops, {});
});

Deno.test("nothing is written of a packet whose memory has been received into again", () => {
  const { network, a, b } = makePair();
  network.alone();
  a.ports.tun.sent.push(bulk(60_000));
  a.loop.turn(0);
  b.ports.wire.arrived.splice(5, 1);
  const tail = b.ports.wire.arrived.splice(20);
  const rest = Array.from({ length: 80 }, () => bulk(60_000));
  network.change = (message) => [message];
  b.loop.turn(0);
  a.ports.tun.sent.push(...rest);
  settle([a, b], 0);
  b.ports.wire.arrived.push(...tail);
  settle([a, b], 0);
  const whole = new Set(hex(rest));
  const others = b.ports.tun.received.filter((packet) => !whole.has(packet.toHex()));
  for (const { payload, sequence } of others.flatMap(segmentLikeTheKernel)) {
    const from = sequence - 1;
    const right = Uint8Array.from(
      { length: payload.length / 2 },
      (_, i) => (from + i) * 7 + (from + i >> 8),
    );
    assert.equal(payload, right.toHex());
  }
});

Deno.test("a segment is taken once; what was changed, or is for nobody here, not at all", () => {
  const { network, a, b } = makePair();
  a.ports.tun.sent.push(ping);
  a.loop.turn(0);
  const [message] = network.log as [typeof network.log[0]];
  const send = (change: (bytes: Uint8Array) => void) => {
    const bytes = message.bytes.slice();
    change(bytes);
    b.ports.wire.arrived.push({ ...message, bytes, segment: bytes.length });
  };
  b.ports.wire.arrived.length = 0;
  for (let at = 0; at < message.bytes.length; at++) send((bytes) => bytes[at]! ^= 1);
  send(() => {});
  send(() => {});
  send((bytes) => bytes[14] = 0xff);
  const said = b.ports.said.length;
  settle([b]);
  assert.deepEqual(hex(b.ports.tun.received), [ping.toHex()]);
  const { drops } = b.stats();
  // The magic, the kind; the receiver; the way, which has no window yet; the counter and everything sealed.
  assert.equal(drops.stranger, 4);
  assert.equal(drops.unknownReceiver, 4);
  assert.equal(drops.replayed, 1);
  assert.equal(drops.forged, message.bytes.length - 8 + 1);
  assert.equal(b.ports.said.length, said + 1, "nothing is said but these statistics");
  assert.equal(network.log.length, 1, "nothing is answered");
});

Deno.test("only what comes in one message with a peer's segments says that the port cannot be shared", () => {
  const { network, a, b } = makePair();
  a.ports.tun.sent.push(ping);
  a.loop.turn(0);
  const [message] = network.log as [typeof network.log[0]];
  const size = message.bytes.length;
  const merged = (head: Uint8Array) => {
    const bytes = new Uint8Array(2 * size).fill(0x55);
    bytes.set(head);
    b.ports.wire.arrived.push({ ...message, bytes, segment: size });
  };
  const unshareable = () => b.ports.said.some(({ say }) => say === "portUnshareable");
  const forged = message.bytes.slice();
  forged[5]! ^= 1;
  for (let n = 0; n < 500; n++) merged(forged);
  settle([b]);
  assert.deepEqual([b.stats().drops.stranger, unshareable()], [500, false]);
  for (let n = 0; n < 200; n++) merged(message.bytes);
  settle([b]);
  assert.equal(unshareable(), true);
});

Deno.test("garbage of any kind is dropped in silence", () => {
  const { network, a, b } = makePair();
  let seed = 1;
  const random = () => seed = Math.imul(seed, 1_664_525) + 1_013_904_223 >>> 0;
  for (let i = 0; i < 3_000; i++) {
    const bytes = Uint8Array.from({ length: random() % 200 }, () => random() >>> 24);
    if (i % 3 > 0 && bytes.length > 8) bytes.set([0x70, 0x6c, 0x73, 1 + i % 2]);
    if (i % 3 > 1 && bytes.length > 8) bytes.set([0, 0, 1002 >> 8, 1002 & 255], 4);
    const segment = 1 + random() % 200;
    b.ports.wire.arrived.push({ from: "203.0.113.9:9", to: "", bytes, segment, tos: 0 });
  }
  settle([a, b]);
  assert.deepEqual([b.ports.tun.received.length, network.log.length], [0, 0]);
  assert.deepEqual(b.ports.said.filter(({ say }) => say !== "portUnshareable"), []);
});

Deno.test("only the sender's certified addresses may be a packet's source, and only ours its destination", () => {
  const { a, b } = makePair();
  // The sender's own check is told to let everything through.
  a.loop.command({
    do: "tables",
    tables: {
      version: 2,
      self: { addresses: ["0.0.0.0/0", "::/0"], behind: [] },
      peers: [{
        id: "b".repeat(32),
        index: 1,
        addresses: ["0.0.0.0/0"],
        behind: [],
        inbound: openRules,
        outbound: openRules,
        paths: [{ endpoint: endpointOf.b, via: "b".repeat(32), label: 0, weight: 1 }],
        fec: false,
      }],
      labels: [],
    },
  }, 0);
  a.ports.tun.sent.push(
    fromTun({ source: "10.100.0.9", ...toB, protocol: "icmp" }),
    fromTun({ ...fromA, destination: "10.100.0.9", protocol: "icmp" }),
    ping,
  );
  settle([a, b]);
  assert.deepEqual(hex(b.ports.tun.received), [ping.toHex()]);
  assert.deepEqual(b.stats().drops, { source: 1, destination: 1 });
});

Deno.test("rules hold at the sender and again at the receiver", () => {
  const rules = {
    rules: [{ allow: true, protocols: 2, ports: [53, 53] }],
    otherwise: false,
  };
  const packets = [udp(53), udp(54), ping];
  for (const at of ["sender", "receiver"]) {
    const { a, b } = makePair(
      at === "sender" ? { ofB: { outbound: rules } } : {
        ofA: { inbound: rules },
      },
    );
    a.ports.tun.sent.push(...packets);
    settle([a, b]);
    assert.deepEqual(hex(b.ports.tun.received), [udp(53).toHex()]);
    const { drops } = at === "sender" ? a.stats() : b.stats();
    assert.deepEqual(drops, { policy: 2 });
  }
});

Deno.test("a header that would have the kernel write elsewhere is not believed", () => {
  const { a, b } = makePair();
  const places: [number, number][] = [[2, 0xff], [6, 16], [8, 2], [1, 4], [1, 5], [1, 0x21]];
  for (const [at, value] of places) {
    const packet = bulk(500);
    packet[at] = value;
    a.ports.tun.sent.push(packet);
  }
  settle([a, b]);
  assert.deepEqual(b.stats().drops, { unparsable: places.length - 1 });
  assert.equal(b.ports.tun.received.length, 1, "the length of headers is only a hint");
});

Deno.test("without a peer, a key or a path nothing is sent, and the reason is counted", () => {
  const { a, b, know } = makePair();
  a.ports.tun.sent.push(fromTun({ ...fromA, destination: "10.100.0.77", protocol: "icmp" }));
  a.ports.tun.sent.push(fromTun({ source: "10.100.0.8", ...toB, protocol: "icmp" }));
  a.ports.tun.sent.push(new Uint8Array(40));
  settle([a, b]);
  know(a, "b", { paths: [] });
  a.ports.tun.sent.push(ping);
  settle([a, b]);
  a.loop.command({ do: "silence", peer: 1 }, 0);
  a.ports.tun.sent.push(ping);
  settle([a, b]);
  assert.deepEqual(a.stats().drops, { noPeer: 1, source: 1, unparsable: 1, noPath: 1, noKey: 1 });
  assert.equal(b.ports.tun.received.length, 0);
});

Deno.test("keys are replaced without a packet lost, and a forgotten one opens nothing", () => {
  const { network, a, b } = makePair();
  a.ports.tun.sent.push(udp(1));
  settle([a, b]);
  a.ports.tun.sent.push(udp(2));
  a.loop.turn(0);
  const late = network.log.at(-1)!;
  b.ports.wire.arrived.length = 0;
  exchangeKeys(a, b, 2);
  a.ports.tun.sent.push(udp(3));
  settle([a, b]);
  b.ports.wire.arrived.push(late);
  settle([a, b]);
  assert.deepEqual(hex(b.ports.tun.received), hex([udp(1), udp(3), udp(2)]));
  assert.deepEqual(b.ports.heard("heard").map(({ epoch }) => epoch), [2]);
  b.loop.command({ do: "forget", peer: 1, epoch: 1 }, 0);
  b.ports.wire.arrived.push(late);
  settle([a, b]);
  assert.equal(b.stats().drops.unknownReceiver, 1);
});

Deno.test("a new key is heard of without a packet, and once", () => {
  const { a, b } = makePair();
  exchangeKeys(a, b, 2);
  settle([a, b]);
  a.ports.tun.sent.push(ping);
  settle([a, b]);
  for (const { ports } of [a, b]) {
    assert.deepEqual(ports.heard("heard"), [{ say: "heard", peer: 1, epoch: 2 }]);
  }
});

Deno.test("no nonce is used twice under a key, also when the key is told again or its tables change", () => {
  const { a, b, know } = makePair();
  const seal = () => a.loop.command({ do: "seal", peer: 1, key: testKey(1, 1_002) }, 0);
  for (let i = 0; i < 20; i++) {
    a.ports.tun.sent.push(ping, bulk(10_000));
    settle([a, b]);
    if (i % 3 === 0) seal();
    if (i % 4 === 0) know(a, "b", { paths: [] });
    if (i % 2 === 0) know(a, "b");
  }
  // The toy cipher throws at a nonce it has seen; it is one object for the whole life of a key.
  assert.equal(a.ports.ciphers.length, 2);
  assert.ok(a.ports.ciphers[1]!.nonces.size > 100);
  assert.equal(b.stats().drops.replayed, undefined);
});

Deno.test("a peer that has moved is answered where it is, once a segment of it is authentic", () => {
  const { network, a, b } = makePair();
  a.ports.tun.sent.push(ping);
  settle([a, b]);
  assert.equal(b.ports.heard("roamed").length, 0);
  const old = network.log[0]!;
  a.ports.wire.move("198.51.100.7:700");
  a.ports.tun.sent.push(ping);
  settle([a, b]);
  assert.deepEqual(b.ports.heard("roamed").map(({ endpoint }) => endpoint), ["198.51.100.7:700"]);
  // Neither a replay nor a forgery from elsewhere moves it.
  b.ports.wire.arrived.push({ ...old, from: "203.0.113.9:9" });
  const forged = old.bytes.slice();
  forged[19] = 99;
  b.ports.wire.arrived.push({ ...old, bytes: forged, from: "203.0.113.9:9" });
  const reply = fromTun({ source: "10.100.0.2", destination: "10.100.0.1", protocol: "icmp" });
  b.ports.tun.sent.push(reply);
  settle([a, b]);
  assert.equal(network.log.at(-1)!.to, "198.51.100.7:700");
  assert.deepEqual(hex(a.ports.tun.received), [reply.toHex()]);
  assert.equal(b.ports.heard("roamed").length, 1);
});

Deno.test("ECN and DSCP go outside with the packet, and congestion comes back in (RFC 6040)", () => {
  const { network, a, b } = makePair();
  const marked = (codepoint: number) =>
    fromTun({ ...fromA, ...toB, protocol: "icmp", trafficClass: 0xb8 | codepoint });
  a.ports.tun.sent.push(marked(ecn.ect0), marked(ecn.not));
  settle([a, b]);
  assert.deepEqual(network.log.map(({ tos }) => tos), [0xb8 | ecn.ect0, 0xb8]);
  assert.deepEqual(hex(b.ports.tun.received), hex([marked(ecn.ect0), marked(ecn.not)]));
  network.change = (message) => [{ ...message, tos: message.tos | ecn.ce }];
  a.ports.tun.sent.push(marked(ecn.ect0), marked(ecn.not));
  settle([a, b]);
  assert.deepEqual(hex(b.ports.tun.received.slice(2)), [marked(ecn.ce).toHex()]);
  assert.equal(b.stats().drops.congestion, 1);
});

Deno.test("a turn is bounded, and says when there may be more", () => {
  const { a, b } = makePair();
  a.ports.tun.sent.push(...Array.from({ length: 100 }, () => ping));
  assert.equal(a.loop.turn(0), true);
  assert.equal(a.ports.tun.sent.length, 36);
  assert.equal(a.loop.turn(0), false);
  assert.equal(a.ports.tun.sent.length, 0);
  b.loop.turn(0);
  assert.equal(b.ports.tun.received.length, 100);
});

Deno.test("a turn of large packets ends after half a millisecond's work, so that small ones do not wait", () => {
  const { network, a, b } = makePair();
  a.ports.tun.sent.push(...Array.from({ length: 30 }, () => bulk(60_000)));
  assert.equal(a.loop.turn(0), true);
  assert.equal(network.log.length, 9);
  settle([a], 0);
  assert.equal(b.loop.turn(0), true);
  assert.ok(b.ports.tun.received.length < 10);
  settle([b], 0);
  assert.equal(b.ports.tun.received.length, 30);
});

Deno.test("word of a new key is repeated until it is answered", () => {
  const { network, a, b } = makePair();
  const { change } = network;
  network.change = () => [];
  exchangeKeys(a, b, 2);
  network.change = change;
  for (let now = 0; now < 100; now += 50) {
    for (const { loop } of [a, b]) loop.tick(now);
    settle([a, b], now);
  }
  assert.deepEqual([a, b].map(({ ports }) => ports.heard("heard").at(-1)?.epoch), [2, 2]);
});

Deno.test("while nothing comes or goes the loop is seldom looked after", () => {
  const { a } = makePair();
  a.loop.turn(1_000);
  assert.equal(a.loop.tick(1_000), 50);
  assert.equal(a.loop.tick(1_050), 250);
  assert.equal(a.loop.tick(1_100), 200);
});

Deno.test("a peer that is in no table any more is neither sent to nor heard", () => {
  const { network, a, b } = makePair();
  a.ports.tun.sent.push(ping);
  a.loop.turn(0);
  b.tables(["10.100.0.2/32"], []);
  settle([a, b]);
  assert.deepEqual(b.ports.tun.received, []);
  assert.deepEqual(b.stats(), { peers: [], labels: [], drops: { unknownReceiver: 1 } });
  assert.ok(b.ports.ciphers.every(({ disposed }) => disposed));
  assert.equal(network.log.length, 1);
});

Deno.test("packets between peers with paths of different sizes are cut anew", () => {
  const { a, b, know } = makePair();
  a.ports.tun.sent.push(bulk(9_000));
  settle([a, b]);
  know(a, "b", {
    paths: [{ endpoint: "[2001:db8::2]:200", via: "b".repeat(32), label: 0, weight: 1 }],
  });
  b.ports.wire.move("[2001:db8::2]:200");
  const packets = [bulk(9_000), udp(1, 1_210), bulk(30_000, "udp")];
  a.ports.tun.sent.push(...packets);
  settle([a, b]);
  assert.deepEqual(hex(b.ports.tun.received.slice(1)), hex(packets));
});

import assert from "node:assert/strict";
import { makeSuperPacket } from "../super_packet/testing.ts";
import { fromTun, makePeer } from "./testing.ts";
import {
  addressesOf,
  endpointOf,
  exchangeKeys,
  hex,
  idOf,
  makePair,
  settle,
  TestNode,
} from "./testing_mesh.ts";
import type { PathTable } from "./types.ts";

const relayEndpoint = "192.0.2.3:300";
const path = (label: number, endpoint: string | null = relayEndpoint): PathTable => ({
  endpoint,
  via: idOf("r"),
  label,
  weight: 1,
});

/** `a` and `b` with a relay between them; labels 77 and 88 lead to `b` and `a`. */
function makeRelayed(ofB = path(77), ofA = path(88)) {
  const { network, a, b, know } = makePair({ ofB: { paths: [ofB] }, ofA: { paths: [ofA] } });
  const relay = new TestNode(network, "r", relayEndpoint);
  relay.tables(["10.100.0.3/32"], [], {
    labels: [
      { label: 77, endpoint: endpointOf.b, next: 1_002 },
      { label: 88, endpoint: endpointOf.a, next: 1_001 },
    ],
  });
  return { network, a, b, relay, know };
}

const ping = fromTun({ source: "10.100.0.1", destination: "10.100.0.2", protocol: "icmp" });
const pong = fromTun({ source: "10.100.0.2", destination: "10.100.0.1", protocol: "icmp" });
const bulk = makeSuperPacket({
  six: false,
  protocol: "tcp",
  payload: Uint8Array.from({ length: 60_000 }, (_, i) => i * 7),
  gsoSize: 1_360,
});

Deno.test("packets pass through a relay both ways, which opens none and has no key", () => {
  const { network, a, b, relay } = makeRelayed();
  a.ports.tun.sent.push(ping, bulk);
  b.ports.tun.sent.push(pong);
  settle([a, b, relay]);
  assert.deepEqual(hex(b.ports.tun.received), hex([ping, bulk]));
  assert.deepEqual(hex(a.ports.tun.received), hex([pong]));
  assert.equal(relay.ports.ciphers.length, 0);
  assert.ok(network.log.every(({ from, to }) => from === relayEndpoint || to === relayEndpoint));
  const { labels, drops } = relay.stats();
  assert.deepEqual(labels.map(({ label }) => label), [77, 88]);
  assert.equal(labels[1]?.segments, 1);
  assert.deepEqual(drops, {});
});

Deno.test("what comes through a relay moves nobody to the relay", () => {
  const { a, b, relay } = makeRelayed();
  a.ports.tun.sent.push(ping);
  settle([a, b, relay]);
  relay.ports.wire.move("198.51.100.3:3");
  relay.tables(["10.100.0.3/32"], [], {
    labels: [{ label: 77, endpoint: endpointOf.b, next: 1_002 }],
  });
  a.tables(addressesOf.a, [makePeer({
    id: idOf("b"),
    index: 1,
    addresses: addressesOf.b,
    paths: [path(77, "198.51.100.3:3")],
  })]);
  a.ports.tun.sent.push(ping);
  settle([a, b, relay]);
  assert.equal(b.ports.tun.received.length, 2);
  assert.deepEqual(b.ports.heard("roamed"), []);
});

Deno.test("a train leaves a relay in one send, also when every segment came alone", () => {
  const { network, a, b, relay } = makeRelayed();
  for (const alone of [false, true]) {
    if (alone) network.alone();
    a.ports.tun.sent.push(bulk, bulk);
    a.loop.turn(0);
    network.log.length = 0;
    network.change = (message) => [message];
    for (let i = 0; i < 3; i++) relay.loop.turn(0);
    const sizes = network.log.map(({ bytes, segment }) => Math.ceil(bytes.length / segment));
    // Two packets of 50 segments; a turn takes 64 messages.
    assert.deepEqual(sizes, alone ? [50, 14, 36] : [50, 50]);
    settle([b]);
  }
  assert.deepEqual(hex(b.ports.tun.received), hex([bulk, bulk, bulk, bulk]));
});

Deno.test("segments of different paths are not mixed in a send", () => {
  const { network, a, b, relay } = makeRelayed();
  a.ports.tun.sent.push(ping);
  b.ports.tun.sent.push(pong);
  a.loop.turn(0);
  b.loop.turn(0);
  a.ports.tun.sent.push(ping);
  a.loop.turn(0);
  network.log.length = 0;
  relay.loop.turn(0);
  assert.deepEqual(network.log.map(({ to }) => to), [endpointOf.b, endpointOf.a, endpointOf.b]);
});

Deno.test("a label that is gone, or never was, leads nowhere", () => {
  const { network, a, b, relay, know } = makeRelayed();
  know(a, "b", { paths: [path(78)] });
  a.ports.tun.sent.push(ping);
  settle([a, b, relay]);
  know(a, "b", { paths: [path(77)] });
  relay.tables(["10.100.0.3/32"], []);
  a.ports.tun.sent.push(ping);
  settle([a, b, relay]);
  assert.deepEqual(b.ports.tun.received, []);
  assert.equal(relay.stats().drops.unknownReceiver, 2);
  assert.equal(network.log.length, 2);
});

Deno.test("a label changed in the tables keeps its count and takes the new number", () => {
  const { a, b, relay, know } = makeRelayed();
  a.ports.tun.sent.push(ping);
  settle([a, b, relay]);
  exchangeKeys(a, b, 2);
  know(a, "b", { paths: [path(77)] });
  relay.tables(["10.100.0.3/32"], [], {
    labels: [{ label: 77, endpoint: endpointOf.b, next: 2_002 }],
  });
  a.ports.tun.sent.push(ping);
  settle([a, b, relay]);
  assert.deepEqual(hex(b.ports.tun.received), hex([ping, ping]));
  assert.equal(relay.stats().labels[0]?.segments, 3, "two packets, and word of the new key");
});

Deno.test("where there is no data port, segments travel over sessions", () => {
  const { network, a, b } = makeRelayed(path(0, null), path(0, null));
  a.ports.tun.sent.push(ping, bulk);
  a.loop.turn(0);
  const said = a.ports.heard("segment");
  assert.equal(said.length, 1 + Math.ceil((bulk.length + 50) / (1_080 - 36)));
  for (const { to, bytes } of said) {
    assert.equal(to, idOf("r"));
    assert.ok(bytes.length <= 1_080);
    b.loop.command({ do: "segment", from: idOf("r"), bytes }, 0);
  }
  assert.deepEqual(hex(b.ports.tun.received), hex([ping, bulk]));
  assert.equal(network.log.length, 0);
  assert.equal(a.stats().peers[0]?.carrier, "session");
});

Deno.test("a relay passes on what came over a session", () => {
  const { a, b, relay } = makeRelayed(path(77, null));
  a.ports.tun.sent.push(ping);
  a.loop.turn(0);
  for (const { bytes } of a.ports.heard("segment")) {
    relay.loop.command({ do: "segment", from: idOf("a"), bytes }, 0);
  }
  settle([b]);
  assert.deepEqual(hex(b.ports.tun.received), hex([ping]));
});

Deno.test("flows spread over two ways; each arrives whole, whatever the ways do to the order", () => {
  const direct = { endpoint: endpointOf.b, via: idOf("b"), label: 0, weight: 1 };
  const { network, a, b, relay, know } = makeRelayed();
  know(a, "b", { paths: [direct, path(77)] });
  const packets = Array.from({ length: 40 }, (_, port) =>
    makeSuperPacket({
      six: false,
      protocol: "tcp",
      payload: new Uint8Array(9_000).fill(port),
      gsoSize: 1_360,
    }));
  for (const [port, packet] of packets.entries()) packet[30] = port;
  network.alone();
  a.ports.tun.sent.push(...packets);
  a.loop.turn(0);
  const direct1 = b.ports.wire.arrived.splice(0);
  const relayed = relay.ports.wire.arrived.length;
  assert.ok(relayed > 40 && direct1.length > 40, `${relayed} and ${direct1.length}`);
  for (let i = 0; i < 10; i++) relay.loop.turn(0);
  // One of each way in turn.
  const other = b.ports.wire.arrived.splice(0);
  while (direct1.length + other.length > 0) {
    b.ports.wire.arrived.push(...direct1.splice(0, 1), ...other.splice(0, 2));
  }
  settle([b], 0);
  assert.deepEqual(hex(b.ports.tun.received).sort(), hex(packets).sort());
  assert.deepEqual(b.stats().drops, {});
});

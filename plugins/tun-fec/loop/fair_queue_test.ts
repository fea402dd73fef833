import assert from "node:assert/strict";
import { makeSuperPacket } from "../super_packet/testing.ts";
import { FairQueue, SendQueue } from "./fair_queue.ts";
import { queuedTrains, queuedTrainsOfPeer } from "./limits.ts";
import { answer } from "./ports.ts";
import { FakeAddress, FakeMemory, fromTun, makePeer } from "./testing.ts";
import { addressesOf, directPath, idOf, makePair, settle, testKey } from "./testing_mesh.ts";

function makeQueue() {
  const memory = new FakeMemory();
  const at = memory.allocate(1_000);
  const queue = new FairQueue(memory);
  const push = (owner: SendQueue, text: string) => {
    memory.bytes.set(new TextEncoder().encode(text), at);
    return queue.push(owner, new FakeAddress("x:1"), at, text.length, text.length, 0);
  };
  const sent: string[] = [];
  const drain = (room: number) =>
    queue.drain((_, from, length) => {
      if (sent.length >= room) return answer.again;
      sent.push(new TextDecoder().decode(memory.bytes.slice(from, from + length)));
      return length;
    });
  return { queue, push, drain, sent };
}

Deno.test("everybody has a turn with one train, in the order of each", () => {
  const { push, drain, sent } = makeQueue();
  const [bulk, other] = [new SendQueue(), new SendQueue()];
  for (const text of ["b1", "b2", "b3"]) push(bulk, text);
  push(other, "o1");
  drain(2);
  assert.deepEqual(sent, ["b1", "o1"]);
  push(other, "o2");
  drain(9);
  assert.deepEqual(sent, ["b1", "o1", "b2", "o2", "b3"]);
});

Deno.test("one may fill its own share, all together theirs, and no more", () => {
  const { queue, push } = makeQueue();
  const owners = Array.from({ length: 5 }, () => new SendQueue());
  const pushed = owners.map((owner) => {
    let count = 0;
    while (push(owner, "x")) count++;
    return count;
  });
  const full = queuedTrains / queuedTrainsOfPeer;
  assert.deepEqual(pushed, owners.map((_, i) => i < full ? queuedTrainsOfPeer : 0));
  assert.equal(queue.waiting, queuedTrains);
});

Deno.test("of a train that went in part the rest goes later", () => {
  const memory = new FakeMemory();
  const queue = new FairQueue(memory);
  const at = memory.allocate(10);
  memory.bytes.set([1, 2, 3, 4], at);
  queue.push(new SendQueue(), new FakeAddress(), at, 4, 2, 0);
  queue.drain(() => 2);
  const rest: number[][] = [];
  queue.drain((_, from, length) => {
    rest.push([...memory.bytes.slice(from, from + length)]);
    return length;
  });
  assert.deepEqual(rest, [[3, 4]]);
  assert.equal(queue.waiting, 0);
});

Deno.test("what waited for an address that was given back is not sent", () => {
  const memory = new FakeMemory();
  const queue = new FairQueue(memory);
  const address = new FakeAddress("x:1");
  queue.push(new SendQueue(), address, memory.allocate(10), 10, 10, 0);
  queue.forget(address);
  queue.drain(() => assert.fail("sent"));
  assert.equal(queue.waiting, 0);
});

const bulk = makeSuperPacket({
  six: false,
  protocol: "tcp",
  payload: new Uint8Array(60_000),
  gsoSize: 1_360,
});
const ping = fromTun({ source: "10.100.0.1", destination: "10.100.0.9", protocol: "icmp" });

Deno.test("behind a full socket a bulk flow of one peer makes another's ping wait for one train", () => {
  const { network, a, b } = makePair();
  a.tables(addressesOf.a, [
    makePeer({ id: idOf("b"), index: 1, addresses: addressesOf.b, paths: [directPath("b")] }),
    makePeer({
      id: idOf("c"),
      index: 2,
      addresses: ["10.100.0.9/32"],
      paths: [{ endpoint: "192.0.2.9:9", via: idOf("c"), label: 0, weight: 1 }],
    }),
  ]);
  a.loop.command({ do: "seal", peer: 2, key: testKey(1, 9) }, 0);
  network.log.length = 0;
  a.ports.wire.room = 0;
  a.ports.tun.sent.push(...Array.from({ length: 40 }, () => bulk), ping);
  while (a.loop.turn(0));
  assert.equal(a.ports.tun.sent.length, 0, "the interface is read all the same");
  assert.equal(a.stats().drops.queueFull, 40 - queuedTrainsOfPeer);
  a.ports.wire.room = 140_000;
  a.loop.turn(0);
  assert.deepEqual(network.log.map(({ to }) => to), [
    "192.0.2.2:200",
    "192.0.2.9:9",
    "192.0.2.2:200",
  ]);
  a.ports.wire.room = Infinity;
  settle([a, b]);
  assert.equal(b.ports.tun.received.length, queuedTrainsOfPeer);
  assert.equal(b.stats().drops.gap, undefined);
});

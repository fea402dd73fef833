import assert from "node:assert/strict";
import { maxHops } from "./limits.ts";
import { makeRecord, recordsMessage, TestMesh } from "./testing.ts";

Deno.test("a node that falls silent is pruned after five minutes of everybody's own clock", async () => {
  const mesh = await TestMesh.create();
  const [a, b, c] = await mesh.line(3);
  mesh.run(10_000);
  mesh.disconnect(a!, b!);
  mesh.run(170_000);
  assert.notEqual(c!.engine.get(a!.id), undefined);
  mesh.run(150_000);
  assert.equal(c!.engine.get(a!.id), undefined);
  assert.equal(b!.engine.get(a!.id), undefined);
  const last = c!.events.at(-1);
  assert.ok(last?.type === "removed" && last.reason === "pruned" && last.record.id === a!.id);
  assert.equal(a!.engine.get(a!.id)?.id, a!.id, "never itself");
});

Deno.test("a pruned node comes back by its next record", async () => {
  const mesh = await TestMesh.create();
  const [a, b, c] = await mesh.line(3);
  mesh.run(10_000);
  mesh.disconnect(a!, b!);
  mesh.run(330_000);
  mesh.connect(a!, b!);
  mesh.run(10_000);
  assert.equal(mesh.converged(), true);
  assert.equal(c!.events.filter((event) => event.type === "added").length, 3);
});

Deno.test("a pruned node's last record replayed is no sign of life", async () => {
  const mesh = await TestMesh.create();
  const [a, b, mallory] = [await mesh.add(), await mesh.add(), await mesh.add()];
  mesh.connect(a, b);
  mesh.connect(b, mallory);
  const last = makeRecord(a.credentials, { sequence: 20, report: { version: "last" } });
  mesh.run(5_000);
  mesh.inject(a, b, recordsMessage([last]));
  assert.equal(b.engine.get(a.id)?.sequence, 20);
  mesh.disconnect(a, b);
  mesh.run(330_000);
  assert.equal(b.engine.get(a.id), undefined);
  mesh.inject(mallory, b, recordsMessage([last]));
  mesh.run(5_000);
  assert.equal(b.engine.get(a.id), undefined);
  assert.equal(b.engine.linkCounters(mallory.id)!.replayed, 1);
});

Deno.test("ten idle minutes change nothing: every peer is still a peer, at the same distance, and nothing was announced", async () => {
  const mesh = await TestMesh.create();
  const nodes = await mesh.line(5);
  mesh.run(10_000);
  const before = nodes.map((node) => [...node.engine.records()].map(({ id, hops }) => [id, hops]));
  const versions = nodes.map((node) => node.engine.version);
  for (const node of nodes) node.events.length = 0;
  mesh.run(600_000);
  assert.deepEqual(
    nodes.map((node) => [...node.engine.records()].map(({ id, hops }) => [id, hops])),
    before,
  );
  assert.deepEqual(nodes.map((node) => node.engine.version), versions);
  assert.deepEqual(nodes.flatMap((node) => node.events), []);
});

Deno.test("a linked peer is not pruned even when its gossip is lost for ten minutes", async () => {
  const mesh = await TestMesh.create();
  const [a, b, c] = await mesh.line(3);
  mesh.run(10_000);
  mesh.tap = (from, _to, bytes) => from === a!.id ? null : bytes;
  mesh.run(600_000);
  assert.equal(b!.engine.get(a!.id)?.id, a!.id);
  assert.equal(c!.engine.get(a!.id), undefined, "those without a link to it have no other proof");
  mesh.disconnect(a!, b!);
  mesh.run(20_000);
  assert.equal(b!.engine.get(a!.id), undefined);
});

Deno.test("records travel 16 hops and no further", async () => {
  const mesh = await TestMesh.create();
  const nodes = await mesh.line(maxHops + 4);
  mesh.run(200_000);
  const first = nodes[0]!;
  nodes.slice(1).forEach((node, i) => {
    assert.equal(node.engine.get(first.id)?.hops, i + 1 <= maxHops ? i + 1 : undefined);
  });
  assert.ok(nodes[maxHops]!.engine.counters().hopLimited > 0);
});

Deno.test("an inflated hop count heard first does not end a record's journey", async () => {
  const mesh = await TestMesh.create();
  const [a, mallory] = [await mesh.add(), await mesh.add()];
  const rest = await mesh.line(4);
  mesh.connect(mallory, rest[0]!);
  mesh.connect(a, rest[0]!, { latencyMs: 300 });
  mesh.run(20_000);
  mesh.say(a, { version: "1.0.0" });
  // The real record is still on its way when mallory's copy arrives with 15 hops on it.
  const record = makeRecord(a.credentials, {
    sequence: a.engine.sequence,
    report: { version: "1.0.0" },
  });
  mesh.inject(mallory, rest[0]!, recordsMessage([{ ...record, hops: 15 }]));
  assert.equal(rest[0]!.engine.get(a.id)?.hops, 16);
  const known = () => rest[3]!.engine.get(a.id)?.report.version === "1.0.0";
  assert.ok(mesh.runUntil(known, 20_000) <= 3_000);
  assert.deepEqual(rest.map((node) => node.engine.get(a.id)?.hops), [1, 2, 3, 4]);
});

Deno.test("a hop count of zero brings a liar nothing but traffic it could have sent itself", async () => {
  const mesh = await TestMesh.create();
  const [a, b, mallory] = [await mesh.add(), await mesh.add(), await mesh.add()];
  mesh.connect(a, b);
  mesh.connect(b, mallory);
  mesh.run(5_000);
  const { recordsOut } = b.engine.counters();
  const { version } = b.engine;
  const record = makeRecord(a.credentials, { sequence: a.engine.sequence });
  for (let i = 0; i < 50; i++) mesh.inject(mallory, b, recordsMessage([record], i));
  mesh.run(5_000);
  assert.equal(b.engine.counters().recordsOut, recordsOut);
  assert.equal(b.engine.version, version);
});

Deno.test("a record that is dropped comes back by its author's next word, and never this node's own", async () => {
  const mesh = await TestMesh.create();
  const [a, b] = await mesh.line(2);
  mesh.run(10_000);
  mesh.apply(b!, b!.engine.drop(() => true, mesh.now));
  assert.equal(b!.engine.get(a!.id), undefined);
  assert.notEqual(b!.engine.get(b!.id), undefined);
  const last = b!.events.at(-1);
  assert.ok(last?.type === "removed" && last.reason === "dropped" && last.record.id === a!.id);
  mesh.say(a!, { version: "new" });
  mesh.run(10_000);
  assert.equal(b!.engine.get(a!.id)?.report.version, "new");
});

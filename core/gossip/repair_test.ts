import assert from "node:assert/strict";
import { decodeMessage } from "./message.ts";
import { MessageWriter } from "./message_writer.ts";
import { TestMesh, type TestNode } from "./testing.ts";

function sectionsIn(bytes: Uint8Array): string[] {
  return decodeMessage(bytes).map((section) => section.type);
}

Deno.test("a lost change is sent again until it is acknowledged", async () => {
  const mesh = await TestMesh.create();
  const [a, b] = await mesh.line(2);
  mesh.run(5_000);
  mesh.setLoss(1);
  mesh.say(a!, { version: "1.0.0" });
  mesh.run(8_000);
  mesh.setLoss(0);
  const known = () => b!.engine.get(a!.id)?.report.version === "1.0.0";
  assert.ok(mesh.runUntil(known, 30_000) <= 10_500);
  assert.ok(a!.engine.counters().resent >= 2);
});

Deno.test("a lost acknowledgement costs a repetition, not a second event", async () => {
  const mesh = await TestMesh.create();
  const [a, b] = await mesh.line(2);
  mesh.run(5_000);
  b!.events.length = 0;
  mesh.tap = (from, _to, bytes) => from === b!.id ? null : bytes;
  mesh.say(a!, { version: "1.0.0" });
  mesh.run(5_000);
  mesh.tap = (_from, _to, bytes) => bytes;
  mesh.run(20_000);
  assert.deepEqual(b!.events.map((event) => event.type), ["updated"]);
  assert.ok(b!.engine.counters().duplicates >= 1);
  const { resent } = a!.engine.counters();
  mesh.run(60_000);
  assert.equal(a!.engine.counters().resent, resent, "acknowledged is acknowledged");
});

Deno.test("a record acknowledged but lost all the same is found by the next digest", async () => {
  const mesh = await TestMesh.create();
  const [a, b] = await mesh.line(2);
  mesh.run(5_000);
  // Acknowledges everything on b's behalf: the worst that can happen to a delta.
  mesh.tap = (from, to, bytes) => {
    if (from !== a!.id) return bytes;
    const sections = decodeMessage(bytes);
    const batch = sections.find((section) => section.type === "records");
    if (batch === undefined) return bytes;
    const writer = new MessageWriter();
    writer.ack({ batch: batch.batch.number, problems: [] });
    mesh.inject(mesh.nodes.get(to)!, a!, writer.finish());
    return null;
  };
  mesh.say(a!, { version: "1.0.0" });
  mesh.run(2_000);
  mesh.tap = (_from, _to, bytes) => bytes;
  assert.notEqual(b!.engine.get(a!.id)?.report.version, "1.0.0");
  const known = () => b!.engine.get(a!.id)?.report.version === "1.0.0";
  assert.ok(mesh.runUntil(known, 120_000, 100) <= 66_000 + 200);
});

Deno.test("two nodes that hold the same exchange one digest a minute and no records", async () => {
  const mesh = await TestMesh.create({ limits: { refreshMs: [1e9, 1e9], pruneMs: 1e9 } });
  const nodes = await mesh.line(2);
  mesh.run(20_000);
  const sections = new Map<string, number>();
  mesh.tap = (_from, _to, bytes) => {
    for (const type of sectionsIn(bytes)) sections.set(type, (sections.get(type) ?? 0) + 1);
    return bytes;
  };
  mesh.run(600_000);
  const digests = sections.get("digest") ?? 0;
  assert.ok(digests >= 8 && digests <= 12, `${digests} digests in ten minutes`);
  assert.equal(sections.get("summary"), digests);
  assert.equal(sections.get("records"), undefined);
  assert.equal(nodes[0]!.engine.size, 2);
});

Deno.test("a flapping link costs a digest, not the table", async () => {
  const mesh = await TestMesh.create();
  const hub = await mesh.add();
  for (let i = 0; i < 30; i++) mesh.connect(hub, await mesh.add());
  const spoke = [...mesh.nodes.values()][1]!;
  mesh.run(10_000);
  const { recordsOut } = hub.engine.counters();
  for (let i = 0; i < 10; i++) {
    mesh.disconnect(hub, spoke);
    mesh.connect(hub, spoke);
    mesh.run(1_000);
  }
  assert.equal(hub.engine.counters().recordsOut, recordsOut);
  assert.equal(mesh.converged(), true);
});

Deno.test("a new node with six links is sent the table about once, not six times", async () => {
  const mesh = await TestMesh.create();
  const core = await mesh.line(6);
  for (let i = 0; i < 100; i++) mesh.connect(core[i % 6]!, await mesh.add());
  mesh.run(20_000);
  assert.equal(mesh.converged(), true);
  const late = await mesh.add();
  for (const node of core) mesh.connect(node, late);
  mesh.run(20_000);
  assert.equal(late.engine.size, 107);
  const { recordsIn } = late.engine.counters();
  assert.ok(recordsIn < 2 * 106, `${recordsIn} records were sent for 106`);
});

Deno.test("a neighbour that dies in the middle of that is replaced by the others", async () => {
  const mesh = await TestMesh.create({ limits: { windowBytes: 3_000, batchBytes: 1_000 } });
  const [left, right] = await mesh.line(2);
  for (let i = 0; i < 60; i++) mesh.connect(left!, await mesh.add());
  mesh.run(60_000);
  assert.equal(mesh.converged(), true);
  const late = await mesh.add();
  mesh.connect(left!, late);
  mesh.connect(right!, late);
  mesh.run(100);
  assert.ok(late.engine.size < 63);
  mesh.disconnect(left!, late);
  assert.ok(mesh.runUntil(() => late.engine.size === 63, 60_000) < 15_000);
});

Deno.test("offers that are not kept cost a few seconds, and only once", async () => {
  const mesh = await TestMesh.create();
  const [a, b, mallory] = [await mesh.add(), await mesh.add(), await mesh.add()];
  mesh.connect(a, b);
  mesh.connect(b, mallory);
  mesh.run(5_000);
  mesh.tap = (from, _to, bytes) => from === mallory.id ? null : bytes;
  const boast = () => {
    const writer = new MessageWriter();
    writer.offers([{ id: a.id, sequence: a.engine.sequence + 1_000, mark: 1 }]);
    mesh.inject(mallory, b, writer.finish());
  };
  for (let i = 0; i < 20; i++) {
    boast();
    mesh.run(500);
  }
  mesh.say(a, { version: "1.0.0" });
  boast();
  mesh.run(1_000);
  assert.equal(b.engine.get(a.id)?.report.version, "1.0.0");
});

Deno.test("a restarted node that lost its sequence rises above its old record at once", async () => {
  const mesh = await TestMesh.create();
  const [a, b, c] = await mesh.line(3);
  for (let i = 0; i < 8; i++) {
    mesh.say(a!, { version: `v${i}` });
    mesh.run(3_000);
  }
  const before = c!.engine.get(a!.id)!.sequence;
  assert.ok(before >= 9);
  mesh.restart(a!);
  mesh.say(a!, { version: "reborn" });
  mesh.connect(a!, b!);
  const known = () => c!.engine.get(a!.id)?.report.version === "reborn";
  assert.ok(mesh.runUntil(known, 10_000) <= 1_000);
  assert.ok(a!.engine.sequence > before);
  assert.ok(a!.events.some((event) => event.type === "overtaken" && !event.exhausted));
});

Deno.test("also when the sequence it starts with happens to be the one others hold", async () => {
  const mesh = await TestMesh.create();
  const [a, b] = await mesh.line(2);
  mesh.run(5_000);
  assert.equal(b!.engine.get(a!.id)?.sequence, 1);
  mesh.restart(a!);
  mesh.say(a!, { version: "reborn" });
  // Same sequence 2 on both sides with different content: only the digest's content hash tells.
  mesh.connect(a!, b!);
  const known = () => b!.engine.get(a!.id)?.report.version === "reborn";
  assert.ok(mesh.runUntil(known, 10_000) <= 5_500);
});

Deno.test("also when everybody pruned it long ago, and even if only distant nodes remember", async () => {
  const mesh = await TestMesh.create();
  const [a, b, c] = await mesh.line(3);
  for (let i = 0; i < 8; i++) {
    mesh.say(a!, { version: `v${i}` });
    mesh.run(3_000);
  }
  const before = c!.engine.get(a!.id)!.sequence;
  mesh.disconnect(a!, b!);
  mesh.run(330_000);
  assert.equal(c!.engine.get(a!.id), undefined);
  mesh.restart(a!);
  mesh.restart(b!, 1_000);
  mesh.say(a!, { version: "reborn" });
  mesh.connect(b!, c!);
  mesh.connect(a!, b!);
  const known = () => c!.engine.get(a!.id)?.report.version === "reborn";
  assert.ok(mesh.runUntil(known, 60_000) <= 10_000);
  assert.ok(a!.engine.sequence > before);
});

function newest(nodes: readonly TestNode[], of: TestNode): boolean {
  return nodes.every((node) => node.engine.get(of.id)?.sequence === of.engine.sequence);
}

Deno.test("after a partition both halves agree again within seconds of the first link", async () => {
  const mesh = await TestMesh.create();
  const left = await mesh.line(5);
  const right = await mesh.line(5);
  mesh.connect(left[4]!, right[0]!);
  mesh.run(20_000);
  assert.equal(mesh.converged(), true);
  mesh.disconnect(left[4]!, right[0]!);
  for (const node of [...left, ...right]) mesh.say(node, { version: "split" });
  mesh.run(200_000);
  assert.equal(newest(left, right[2]!), false);
  mesh.connect(left[4]!, right[0]!);
  assert.ok(mesh.runUntil(() => mesh.converged(), 30_000) <= 10_000);
});

import assert from "node:assert/strict";
import { computeDigest } from "./digest.ts";
import { decodeMessage, Need, type Section } from "./message.ts";
import { MessageWriter } from "./message_writer.ts";
import { makeRecord, recordsMessage, TestMesh, wantMessage } from "./testing.ts";

async function scene(limits: Parameters<typeof TestMesh.create>[0] = {}) {
  const mesh = await TestMesh.create(limits);
  const [a, b, mallory] = [await mesh.add(), await mesh.add(), await mesh.add()];
  mesh.connect(a, b);
  mesh.connect(mallory, b);
  mesh.run(5_000);
  const said: Section[] = [];
  mesh.tap = (from, to, bytes) => {
    if (from === mallory.id) return null;
    if (from === b.id && to === mallory.id) said.push(...decodeMessage(bytes));
    return bytes;
  };
  return { mesh, a, b, mallory, said };
}

Deno.test("forged signatures cost a link its allowance, and not the other links theirs", async () => {
  const { mesh, a, b, mallory } = await scene({ limits: { verifyBurst: 50, verifyPerSecond: 10 } });
  const forged = Array.from({ length: 200 }, (_, i) => {
    const { head } = makeRecord(a.credentials, { sequence: 100 + i });
    head.bytes[60]! ^= 1;
    return { head };
  });
  mesh.inject(mallory, b, recordsMessage(forged));
  const counters = b.engine.linkCounters(mallory.id)!;
  assert.ok(counters.badSignatures <= 50, `${counters.badSignatures} signatures were checked`);
  assert.equal(counters.deferred, 200 - counters.badSignatures);
  mesh.say(a, { version: "1.0.0" });
  mesh.run(1_000);
  assert.equal(b.engine.get(a.id)?.report.version, "1.0.0");
});

Deno.test("forged sequences do not use up the author's own allowance", async () => {
  const { mesh, a, b, mallory } = await scene();
  for (let i = 0; i < 100; i++) {
    const { head } = makeRecord(a.credentials, { sequence: 100 + i });
    head.bytes[60]! ^= 1;
    mesh.inject(mallory, b, recordsMessage([{ head }]));
  }
  mesh.say(a, { version: "1.0.0" });
  mesh.run(1_000);
  assert.equal(b.engine.get(a.id)?.report.version, "1.0.0");
});

Deno.test("an author that changes its mind all the time is taken at half a change a second, the rest is deferred", async () => {
  const { mesh, a, b, mallory } = await scene();
  a.events.length = 0;
  for (let i = 0; i < 600; i++) {
    const record = makeRecord(mallory.credentials, {
      sequence: 100 + i,
      report: { version: `${i}` },
    });
    mesh.inject(mallory, b, recordsMessage([record]));
    mesh.run(100);
  }
  const changes = a.events.filter((event) => event.type === "updated").length;
  // A minute at 0.5 a second and a burst of 20.
  assert.ok(changes <= 50, `${changes} changes went on`);
  assert.ok(b.engine.linkCounters(mallory.id)!.deferred > 500);
});

Deno.test("a deferred record is asked for again and arrives", async () => {
  const { mesh, b, mallory, said } = await scene();
  for (let i = 0; i < 30; i++) {
    mesh.inject(
      mallory,
      b,
      recordsMessage([makeRecord(mallory.credentials, { sequence: 100 + i })], i),
    );
  }
  mesh.run(1_000);
  const later = said.filter((section) =>
    section.type === "ack" && section.ack.problems[0]?.need === Need.later
  );
  assert.ok(later.length > 0);
  mesh.run(5_000);
  mesh.inject(mallory, b, recordsMessage([makeRecord(mallory.credentials, { sequence: 129 })], 99));
  assert.equal(b.engine.get(mallory.id)?.sequence, 129);
});

Deno.test("an honest node never publishes faster than others take it", async () => {
  const mesh = await TestMesh.create();
  const [a, b] = await mesh.line(2);
  mesh.run(5_000);
  for (let i = 0; i < 600; i++) {
    mesh.say(a!, { version: `v${i}` });
    mesh.run(100);
  }
  mesh.run(5_000);
  assert.equal(b!.engine.counters().deferred, 0);
  assert.equal(b!.engine.get(a!.id)?.report.version, "v599");
});

Deno.test("beyond the table's limit unknown nodes are refused, known ones updated and linked ones let in", async () => {
  const mesh = await TestMesh.create({ limits: { maxRecords: 3 } });
  const [a, b, c] = await mesh.line(3);
  mesh.run(5_000);
  const stranger = await mesh.ca.issue();
  mesh.inject(c!, b!, recordsMessage([makeRecord(stranger)]));
  assert.equal(b!.engine.get(stranger.certificate.id), undefined);
  assert.equal(b!.engine.linkCounters(c!.id)!.tableFull, 1);
  mesh.say(a!, { version: "1.0.0" });
  mesh.run(2_000);
  assert.equal(c!.engine.get(a!.id)?.report.version, "1.0.0");
  const linked = await mesh.add();
  mesh.connect(linked, b!);
  mesh.run(5_000);
  assert.equal(b!.engine.get(linked.id)?.id, linked.id);
  assert.equal(c!.engine.get(linked.id), undefined);
});

Deno.test("digests are answered at a limited rate", async () => {
  const { mesh, b, mallory, said } = await scene();
  for (let i = 0; i < 50; i++) {
    const writer = new MessageWriter();
    writer.digest({ salt: i, bits: 0, hashes: computeDigest([], 0, i) });
    mesh.inject(mallory, b, writer.finish());
  }
  const answers = said.filter((section) => section.type === "summary").length;
  assert.ok(answers > 0 && answers <= 4, `${answers} answers`);
  assert.equal(b.engine.linkCounters(mallory.id)!.ignored, 50 - answers);
});

Deno.test("records are sent on demand at a limited rate", async () => {
  const { mesh, a, b, mallory, said } = await scene({
    limits: { wantBurst: 10, wantPerSecond: 1 },
  });
  for (let i = 0; i < 100; i++) mesh.inject(mallory, b, wantMessage(a.id));
  mesh.run(100);
  assert.ok(said.filter((section) => section.type === "records").length <= 10);
  assert.ok(b.engine.linkCounters(mallory.id)!.ignored >= 89);
});

Deno.test("offers of old records, and old records, make nobody send more than that either", async () => {
  const { mesh, a, b, mallory, said } = await scene({
    limits: { wantBurst: 10, wantPerSecond: 0.1 },
  });
  mesh.say(a, { version: "1.0.0" });
  mesh.run(2_000);
  const before = said.filter((section) => section.type === "records").length;
  const old = makeRecord(a.credentials, { sequence: 1 });
  for (let i = 0; i < 100; i++) {
    const writer = new MessageWriter();
    writer.offers([{ id: a.id, sequence: 1, mark: i }]);
    mesh.inject(mallory, b, writer.finish());
    mesh.inject(mallory, b, recordsMessage([{ head: old.head }], i));
    for (const section of said) {
      if (section.type !== "records") continue;
      const ack = new MessageWriter();
      ack.ack({ batch: section.batch.number, problems: [] });
      mesh.inject(mallory, b, ack.finish());
    }
    mesh.run(100);
  }
  const sent = said.filter((section) => section.type === "records").length - before;
  assert.ok(sent > 0 && sent <= 12, `${sent} answers`);
});

Deno.test("what is unacknowledged is bounded by the window", async () => {
  const mesh = await TestMesh.create({ limits: { windowBytes: 4_000, batchBytes: 1_000 } });
  const hub = await mesh.add();
  for (let i = 0; i < 40; i++) mesh.connect(hub, await mesh.add());
  mesh.run(10_000);
  const late = await mesh.add();
  let outstanding = 0;
  let most = 0;
  mesh.tap = (from, to, bytes) => {
    if (from === hub.id && to === late.id) {
      outstanding += bytes.length;
      most = Math.max(most, outstanding);
    } else if (from === late.id) {
      // A message from the other side acknowledges everything before it.
      outstanding = 0;
    }
    return bytes;
  };
  mesh.connect(hub, late, { latencyMs: 5 });
  mesh.run(10_000);
  assert.equal(late.engine.size, 42);
  assert.ok(most < 4_000 + 1_000 + 2_000, `${most} bytes under way`);
});

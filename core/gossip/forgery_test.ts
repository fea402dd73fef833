import assert from "node:assert/strict";
import { encode } from "@msgpack/msgpack";
import fc from "fast-check";
import { createTestCa } from "../identity/testing.ts";
import { contentHash } from "./content.ts";
import type { GossipCounter } from "./counters.ts";
import { maxSequence, maxSequenceStep } from "./limits.ts";
import { decodeMessage, Need } from "./message.ts";
import { signHead, signingPrefix } from "./record.ts";
import { makeRecord, recordsMessage, TestMesh, type TestNode } from "./testing.ts";

/** A victim `b` with the neighbours `a` (honest) and `mallory`, a member whose messages the test writes itself. */
async function scene() {
  const mesh = await TestMesh.create();
  const [a, b, mallory] = [await mesh.add(), await mesh.add(), await mesh.add()];
  mesh.connect(a, b);
  mesh.connect(mallory, b);
  mesh.run(5_000);
  mesh.tap = (from, _to, bytes) => from === mallory.id ? null : bytes;
  return { mesh, a, b, mallory };
}

function count(b: TestNode, mallory: TestNode, counter: GossipCounter): number {
  return b.engine.linkCounters(mallory.id)![counter];
}

/** Mallory sends this; it must change nothing at b but one counter. */
function refused(
  what: Awaited<ReturnType<typeof scene>>,
  record: Parameters<typeof recordsMessage>[0][number],
  counter: GossipCounter,
) {
  const { mesh, b, mallory } = what;
  const before = [...b.engine.records()].map(({ id, sequence, report }) => ({
    id,
    sequence,
    report,
  }));
  const version = b.engine.version;
  const counted = count(b, mallory, counter);
  mesh.inject(mallory, b, recordsMessage([record]));
  mesh.run(1_000);
  const after = [...b.engine.records()].map(({ id, sequence, report }) => ({
    id,
    sequence,
    report,
  }));
  assert.deepEqual(after, before);
  assert.equal(b.engine.version, version);
  assert.equal(count(b, mallory, counter), counted + 1);
  assert.ok(b.engine.linkCounters(mallory.id) !== undefined, "the link stays");
}

Deno.test("a record with a signature that is not the author's is dropped", async () => {
  const what = await scene();
  const record = makeRecord(what.a.credentials, { sequence: 9 });
  record.head.bytes[117]! ^= 1;
  refused(what, record, "badSignatures");
});

Deno.test("a member cannot speak for another: its own key over another node's id", async () => {
  const what = await scene();
  const record = makeRecord(what.mallory.credentials, { sequence: 9, id: what.a.id });
  refused(what, record, "badCertificates");
});

Deno.test("nor with the other node's certificate beside its own signature", async () => {
  const what = await scene();
  const { key } = what.mallory.credentials;
  const { certificate } = what.a.credentials;
  const record = makeRecord({ ...what.a.credentials, key, certificate }, { sequence: 9 });
  refused(what, record, "badSignatures");
});

Deno.test("a refresh that the author did not sign is dropped", async () => {
  const what = await scene();
  const { key } = what.mallory.credentials;
  const forged = makeRecord({ ...what.a.credentials, key }, { sequence: 9 });
  refused(what, { head: forged.head }, "badSignatures");
});

Deno.test("a node of a foreign CA gets no place in the table", async () => {
  const what = await scene();
  const stranger = await (await createTestCa(what.mesh.ca.network)).issue();
  refused(what, makeRecord(stranger), "badCertificates");
});

Deno.test("nor a node with an expired certificate, nor one of another network of the same CA", async () => {
  const what = await scene();
  refused(what, makeRecord(await what.mesh.ca.forge.expired()), "badCertificates");
  refused(
    what,
    makeRecord(await what.mesh.ca.issue({ network: "other" })),
    "badCertificates",
  );
});

Deno.test("a record signed over another network's name is dropped", async () => {
  const what = await scene();
  const record = makeRecord(what.a.credentials, { sequence: 9, network: "other" });
  refused(what, record, "badSignatures");
});

Deno.test("content or certificate that is not what was signed is dropped", async () => {
  const what = await scene();
  const record = makeRecord(what.a.credentials, { sequence: 9, report: { version: "1.0.0" } });
  const other = makeRecord(what.a.credentials, { sequence: 9, report: { version: "6.6.6" } });
  refused(what, { ...record, content: other.content }, "malformedRecords");
  const stranger = await what.mesh.ca.issue();
  const unknown = makeRecord(stranger);
  const { certificate } = what.mallory.credentials;
  refused(what, { ...unknown, certificate: certificate.der }, "malformedRecords");
});

Deno.test("validly signed content beyond the limits is dropped", async () => {
  const what = await scene();
  const { key, certificate } = what.mallory.credentials;
  // What encodeContent() would never write, signed all the same.
  const content = encode([
    1,
    Uint8Array.fromHex(certificate.fingerprint),
    Array.from({ length: 9 }, (_, i) => `h${i}:1`),
    "",
    [],
    [],
    [],
    [],
  ]);
  const head = signHead(
    { id: certificate.id, sequence: 9, contentHash: contentHash(content) },
    signingPrefix(certificate.network),
    (message) => key.sign(message),
  );
  refused(what, { head, content }, "malformedRecords");
});

Deno.test("sequence 0 and a hop count beyond 15 are malformed", async () => {
  const what = await scene();
  refused(what, makeRecord(what.mallory.credentials, { sequence: 0 }), "malformedRecords");
  const record = makeRecord(what.mallory.credentials, { sequence: 9 });
  refused(what, { ...record, hops: 16 }, "malformedRecords");
  refused(what, { ...record, hops: 255 }, "malformedRecords");
});

Deno.test("an old record replayed is not believed, and the neighbour is sent the newer one", async () => {
  const { mesh, a, b, mallory } = await scene();
  const old = makeRecord(a.credentials, { sequence: 1, report: { version: "0.0.1" } });
  mesh.say(a, { version: "1.0.0" });
  mesh.run(1_000);
  const sent: Uint8Array[] = [];
  mesh.tap = (from, to, bytes) => {
    if (from === b.id && to === mallory.id) sent.push(bytes);
    return bytes;
  };
  mesh.inject(mallory, b, recordsMessage([old]));
  mesh.run(1_000);
  assert.equal(b.engine.get(a.id)?.report.version, "1.0.0");
  assert.equal(count(b, mallory, "older"), 1);
  const heads = sent.flatMap((bytes) => decodeMessage(bytes))
    .flatMap((section) => section.type === "records" ? section.batch.items : [])
    .map(({ head }) => [head.id, head.sequence]);
  assert.deepEqual(heads, [[a.id, a.engine.sequence]]);
});

Deno.test("two records with one sequence: the first is kept, the second counted, reported once and not passed on", async () => {
  const { mesh, b, a, mallory } = await scene();
  const first = makeRecord(mallory.credentials, { sequence: 50, report: { version: "1" } });
  const second = makeRecord(mallory.credentials, { sequence: 50, report: { version: "2" } });
  mesh.inject(mallory, b, recordsMessage([first]));
  for (let i = 0; i < 50; i++) mesh.inject(mallory, b, recordsMessage([second]));
  mesh.run(2_000);
  assert.equal(b.engine.get(mallory.id)?.report.version, "1");
  assert.equal(a.engine.get(mallory.id)?.report.version, "1");
  assert.equal(count(b, mallory, "equivocations"), 50);
  assert.deepEqual(
    b.events.filter((event) => event.type === "equivocation"),
    [{ type: "equivocation", id: mallory.id, sequence: 50 }],
  );
});

Deno.test("a forged second record is no equivocation: nobody can be framed", async () => {
  const what = await scene();
  const { key } = what.mallory.credentials;
  const { sequence } = what.a.engine;
  const forged = makeRecord({ ...what.a.credentials, key }, { sequence, report: { version: "6" } });
  refused(what, forged, "badSignatures");
  assert.equal(count(what.b, what.mallory, "equivocations"), 0);
});

Deno.test("a sequence cannot jump to the end of its space while a record is held", async () => {
  const what = await scene();
  const { sequence } = what.mallory.engine;
  const far = makeRecord(what.mallory.credentials, { sequence: sequence + maxSequenceStep + 1 });
  refused(what, far, "sequenceJumps");
  refused(
    what,
    makeRecord(what.mallory.credentials, { sequence: maxSequence }),
    "sequenceJumps",
  );
});

Deno.test("garbage costs one counter, and the next message is read as if nothing had been", async () => {
  const { mesh, b, mallory } = await scene();
  mesh.inject(mallory, b, Uint8Array.of(1, 2, 3, 4, 5, 6, 7));
  mesh.inject(mallory, b, new Uint8Array(2_000_000));
  assert.equal(count(b, mallory, "malformedMessages"), 2);
  mesh.inject(mallory, b, recordsMessage([makeRecord(mallory.credentials, { sequence: 9 })]));
  assert.equal(b.engine.get(mallory.id)?.sequence, 9);
});

Deno.test("what a peer without a link sends is not read", async () => {
  const { mesh, a, b } = await scene();
  const other = await mesh.ca.issue();
  const effects = b.engine.receive(
    other.certificate.id,
    recordsMessage([makeRecord(other)]),
    mesh.now,
  );
  assert.deepEqual(effects, { messages: [], events: [] });
  assert.equal(b.engine.get(other.certificate.id), undefined);
  assert.notEqual(b.engine.get(a.id), undefined);
});

Deno.test("records that cannot be judged yet are asked for: content, then certificate", async () => {
  const { mesh, b, mallory } = await scene();
  const problems: unknown[] = [];
  mesh.tap = (from, to, bytes) => {
    if (from === mallory.id) return null;
    if (from === b.id && to === mallory.id) {
      for (const section of decodeMessage(bytes)) {
        if (section.type === "ack") problems.push(section.ack);
      }
    }
    return bytes;
  };
  const { head, content, certificate } = makeRecord(await mesh.ca.issue());
  mesh.inject(mallory, b, recordsMessage([{ head }], 1));
  mesh.run(500);
  mesh.inject(mallory, b, recordsMessage([{ head, content }], 2));
  mesh.run(500);
  mesh.inject(mallory, b, recordsMessage([{ head, content, certificate }], 3));
  mesh.run(500);
  assert.deepEqual(problems, [
    { batch: 1, problems: [{ index: 0, need: Need.content }] },
    { batch: 2, problems: [{ index: 0, need: Need.certificate }] },
    { batch: 3, problems: [] },
  ]);
  assert.equal(b.engine.get(head.id)?.id, head.id);
});

Deno.test("genuine messages with a few bytes changed never break an engine, nor put a word into anybody's mouth", async () => {
  const mesh = await TestMesh.create();
  const overheard: Uint8Array[] = [];
  mesh.tap = (_from, _to, bytes) => {
    overheard.push(bytes.slice());
    return bytes;
  };
  const nodes = await mesh.line(4);
  for (let i = 0; i < 5; i++) {
    for (const node of nodes) mesh.say(node, { version: `v${i}` });
    mesh.run(3_000);
  }
  const said = new Map(nodes.map((node) => [node.id, new Set(["0.0.0"])]));
  for (const set of said.values()) for (let i = 0; i < 5; i++) set.add(`v${i}`);
  const [from, to] = [nodes[1]!, nodes[2]!];
  fc.assert(
    fc.property(
      fc.nat(overheard.length - 1),
      fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 4 }),
      (which, changes) => {
        const bytes = overheard[which]!.slice();
        for (const [at, value] of changes) bytes[at % bytes.length] = value;
        mesh.inject(from, to, bytes);
        mesh.run(10);
        for (const { id, report } of to.engine.records()) {
          assert.ok(said.get(id)?.has(report.version), `${id} never said ${report.version}`);
        }
      },
    ),
    { numRuns: 2_000 },
  );
});

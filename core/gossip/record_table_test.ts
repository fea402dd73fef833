import assert from "node:assert/strict";
import { createTestCa, type TestCa } from "../identity/testing.ts";
import { decodeContent } from "./content.ts";
import { defaultGossipLimits } from "./limits.ts";
import { RecordEntry, RecordTable } from "./record_table.ts";
import { makeRecord } from "./testing.ts";
import type { SelfReport } from "./types.ts";

const limits = { ...defaultGossipLimits, pruneMs: 100, tombstoneMs: 1_000, maxTombstones: 2 };

async function entry(ca: TestCa, now: number, report: Partial<SelfReport> = {}) {
  const credentials = await ca.issue();
  const { head, content } = makeRecord(credentials, { report });
  return new RecordEntry({
    head,
    content: decodeContent(content, head.id),
    certificate: credentials.certificate,
    hops: 1,
    now,
    allowanceAt: 0,
  });
}

Deno.test("what is not refreshed in time goes, unless the caller vouches for it", async () => {
  const ca = await createTestCa();
  const table = new RecordTable(limits);
  const [old, fresh, linked] = [await entry(ca, 0), await entry(ca, 50), await entry(ca, 0)];
  for (const each of [old, fresh, linked]) table.put(each);
  assert.deepEqual(table.prune((id) => id === linked.id, 101), [old]);
  assert.equal(table.get(old.id), undefined);
  assert.equal(table.tombstone(old.id), old);
  assert.deepEqual([...table.entries()], [fresh, linked]);
});

Deno.test("tombstones are few and do not last", async () => {
  const ca = await createTestCa();
  const table = new RecordTable(limits);
  const entries = [await entry(ca, 0), await entry(ca, 0), await entry(ca, 0)];
  for (const each of entries) table.put(each);
  table.prune(() => false, 200);
  assert.deepEqual(entries.map(({ id }) => table.tombstone(id) !== undefined), [false, true, true]);
  table.prune(() => false, 1_201);
  assert.deepEqual(entries.map(({ id }) => table.tombstone(id)), [undefined, undefined, undefined]);
});

Deno.test("only links and nodes move the graph version", async () => {
  const ca = await createTestCa();
  const table = new RecordTable(limits);
  const first = await entry(ca, 0);
  table.put(first);
  const versions = [table.version, table.graphVersion];
  const same = (report: Partial<SelfReport>) =>
    new RecordEntry({
      head: first.head,
      content: { ...first.content, report: { ...first.report, ...report } },
      certificate: first.certificate,
      hops: 1,
      now: 0,
      allowanceAt: 0,
    });
  const links = [{ peer: "11".repeat(16), latencyMs: 1, loss: 0 }];
  table.put(same({ version: "2" }));
  assert.deepEqual([table.version, table.graphVersion], [versions[0]! + 1, versions[1]]);
  table.put(same({ links }));
  assert.deepEqual([table.version, table.graphVersion], [versions[0]! + 2, versions[1]! + 1]);
  table.put(same({ links: [{ ...links[0]!, latencyMs: 2 }] }));
  assert.deepEqual([table.version, table.graphVersion], [versions[0]! + 3, versions[1]! + 2]);
});

Deno.test("a refresh with other content is a mistake of the caller", async () => {
  const ca = await createTestCa();
  const table = new RecordTable(limits);
  const [one, other] = [await entry(ca, 0), await entry(ca, 0, { version: "2" })];
  table.put(one);
  assert.throws(() => table.refresh(one, other.head, 1, 5), RangeError);
});

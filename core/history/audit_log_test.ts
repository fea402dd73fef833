import assert from "node:assert/strict";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { type AuditLimits, AuditLog, defaultAuditLimits } from "./audit_log.ts";
import { type TestStorage, withStorage } from "./testing.ts";

const headOf = (storage: TestStorage) => join(storage.dir, "audit.head");

function logIn(storage: TestStorage, limits: Partial<AuditLimits> = {}): AuditLog {
  return new AuditLog({
    ...storage.open("audit.db"),
    headPath: headOf(storage),
    limits: { ...defaultAuditLimits, ...limits },
    wall: () => storage.clock.wall(),
  });
}

async function append(log: AuditLog, from: number, to: number): Promise<void> {
  for (let i = from; i <= to; i++) await log.append("api", { by: "local", path: `number ${i}` });
}

/** Ten entries, changed behind the log's back, then verified after a restart. */
async function verdictAfter(tampering: string | ((storage: TestStorage) => Promise<void>)) {
  const seen: Awaited<ReturnType<AuditLog["verify"]>>[] = [];
  await withStorage(async (storage) => {
    await append(logIn(storage), 1, 10);
    if (typeof tampering === "string") {
      const raw = new DatabaseSync(join(storage.dir, "audit.db"));
      raw.exec(tampering);
      raw.close();
    } else {
      await tampering(storage);
    }
    seen.push(await logIn(storage).verify());
    // It stays known when the log is written on.
    const log = logIn(storage);
    await append(log, 11, 12);
    const later = await log.verify();
    assert.equal(later.brokenAt === null, seen[0]!.brokenAt === null, later.reason ?? "fine");
  });
  return seen[0]!;
}

Deno.test("an untouched log verifies from its first entry to its last, also after a restart", async () => {
  const verdict = await verdictAfter("");
  assert.deepEqual([verdict.entries, verdict.first, verdict.brokenAt], [10, 1, null]);
});

Deno.test("the first entry that was changed, is missing or was put in is named", async () => {
  const cases: [string, number][] = [
    ["UPDATE audit SET body = replace(body, 'number 4', 'number 5') WHERE seq = 4", 4],
    ["UPDATE audit SET hash = upper(hash) WHERE seq = 7", 7],
    ["UPDATE audit SET previous = hash WHERE seq = 3", 3],
    ["DELETE FROM audit WHERE seq = 1", 2],
    ["DELETE FROM audit WHERE seq = 6", 7],
    ["DELETE FROM audit WHERE seq = 10", 10],
    ["DELETE FROM audit WHERE seq > 5", 6],
    ["DELETE FROM audit", 1],
    ["UPDATE audit SET body = replace(body, 'number 10', 'number 9') WHERE seq = 10", 10],
    ["INSERT INTO audit VALUES (11, 'x', '{}', 'y')", 11],
  ];
  for (const [tampering, brokenAt] of cases) {
    const verdict = await verdictAfter(tampering);
    assert.equal(verdict.brokenAt, brokenAt, `${tampering}: ${verdict.reason}`);
    assert.ok(verdict.reason !== null);
  }
});

Deno.test("a file that was replaced, a record of the end that is gone or no record at all are seen", async () => {
  const gone = await verdictAfter(async (storage) => {
    for await (const { name } of Deno.readDir(storage.dir)) {
      if (name.startsWith("audit.db")) await Deno.remove(join(storage.dir, name));
    }
  });
  assert.deepEqual([gone.brokenAt, gone.reason], [1, "entry 1 is missing"]);
  const headless = await verdictAfter((storage) => Deno.remove(headOf(storage)));
  assert.match(headless.reason ?? "", /was missing at 2026-01-01/);
  const garbled = await verdictAfter((storage) => Deno.writeTextFile(headOf(storage), "{}"));
  assert.match(garbled.reason ?? "", /was unreadable at/);
});

Deno.test("a crash between an entry and the record of it is no fault", async () => {
  await withStorage(async (storage) => {
    const log = logIn(storage);
    await append(log, 1, 3);
    const before = await Deno.readTextFile(headOf(storage));
    await append(log, 4, 4);
    await Deno.writeTextFile(headOf(storage), before);
    const after = logIn(storage);
    assert.equal((await after.verify()).brokenAt, null);
    await append(after, 5, 5);
    assert.deepEqual(await logIn(storage).verify().then(({ entries }) => entries), 5);
  });
});

Deno.test("entries beyond the limit go from the beginning, and the rest still verifies", async () => {
  await withStorage(async (storage) => {
    const log = logIn(storage, { rows: 100 });
    await append(log, 1, 600);
    const verdict = await log.verify();
    assert.equal(verdict.brokenAt, null);
    assert.ok(verdict.first > 1 && verdict.entries < 600, JSON.stringify(verdict));
    assert.equal(verdict.first + verdict.entries, 601);
    assert.equal((await logIn(storage).verify()).head, verdict.head);
  });
});

Deno.test("entries are listed newest first, page by page, without secrets, in the order of the calls", async () => {
  await withStorage(async (storage) => {
    const log = logIn(storage);
    await Promise.all(
      [1, 2, 3].map((i) => log.append("api", { by: "local", body: { n: i, token: "secret" } })),
    );
    const page = log.list(2);
    assert.deepEqual(page.entries.map(({ seq, fields }) => [seq, fields]), [
      [3, { by: "local", body: { n: 3, token: "[redacted]" } }],
      [2, { by: "local", body: { n: 2, token: "[redacted]" } }],
    ]);
    assert.deepEqual(log.list(2, Number(page.next)).entries.map(({ seq }) => seq), [1]);
    assert.equal((await Deno.stat(headOf(storage))).mode! & 0o777, 0o600);
  });
});

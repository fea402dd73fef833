import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { AuditLog } from "./audit_log.ts";
import { CaDatabase } from "./database.ts";

/** A log of ten entries, changed behind its back, then verified. */
async function verdictAfter(tampering: string) {
  const directory = await Deno.makeTempDir({ prefix: "pulse-audit-" });
  const path = `${directory}/ledger.db`;
  try {
    {
      using database = CaDatabase.open(path);
      const log = new AuditLog(database);
      for (let i = 1; i <= 10; i++) {
        database.transaction(() => log.append("join_refused", { reason: `number ${i}` }, i * 1000));
      }
    }
    const raw = new DatabaseSync(path);
    raw.exec(tampering);
    raw.close();
    using database = CaDatabase.open(path);
    return new AuditLog(database).verify();
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

Deno.test("an untouched log verifies from the first entry to the last", async () => {
  assert.deepEqual(await verdictAfter(""), { entries: 10, brokenAt: null, reason: null });
});

Deno.test("the first entry that was tampered with is named", async () => {
  const cases: [string, number][] = [
    ["UPDATE audit SET body = replace(body, 'number 4', 'number 5') WHERE seq = 4", 4],
    ["UPDATE audit SET hash = upper(hash) WHERE seq = 7", 7],
    ["UPDATE audit SET previous = hash WHERE seq = 3", 3],
    ["DELETE FROM audit WHERE seq = 1", 2],
    ["DELETE FROM audit WHERE seq = 6", 7],
    ["DELETE FROM audit WHERE seq = 10", 10],
    ["DELETE FROM audit WHERE seq > 5", 6],
    ["DELETE FROM audit", 1],
    [
      "UPDATE audit SET seq = 0 WHERE seq = 4; UPDATE audit SET seq = 4 WHERE seq = 5; UPDATE audit SET seq = 5 WHERE seq = 0",
      4,
    ],
  ];
  for (const [tampering, brokenAt] of cases) {
    const verdict = await verdictAfter(tampering);
    assert.equal(verdict.brokenAt, brokenAt, tampering);
    assert.ok(verdict.reason !== null);
  }
});

Deno.test("an entry of a transaction that failed does not exist, and nobody is told of it", async () => {
  const directory = await Deno.makeTempDir({ prefix: "pulse-audit-" });
  try {
    using database = CaDatabase.open(`${directory}/ledger.db`);
    const log = new AuditLog(database);
    const told: string[] = [];
    log.onEntry = (type, { reason }) => void told.push(`${type} ${reason ?? ""}`);
    assert.throws(() =>
      database.transaction(() => {
        log.append("join_refused", {}, 0);
        throw new Error("something after it");
      })
    );
    assert.deepEqual(log.list(10), []);
    database.transaction(() => log.append("join_refused", { reason: "x" }, 0));
    assert.deepEqual(told, ["join_refused x"]);
    assert.equal(log.verify().entries, 1);
    const [entry] = log.list(10);
    assert.deepEqual(entry, {
      seq: 1,
      at: "1970-01-01T00:00:00.000Z",
      type: "join_refused",
      fields: { reason: "x" },
      hash: log.head(),
    });
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
});

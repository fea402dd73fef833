import assert from "node:assert/strict";
import { join } from "node:path";
import { PulseError } from "../errors/mod.ts";
import { numberOf } from "./columns.ts";
import { DurableDatabase } from "./durable_database.ts";

const schema = "CREATE TABLE IF NOT EXISTS things (n INTEGER PRIMARY KEY) STRICT;";

async function withPath(run: (path: string) => void): Promise<void> {
  const dir = await Deno.makeTempDir();
  try {
    run(join(dir, "things.db"));
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}

function open(path: string): DurableDatabase {
  return new DurableDatabase({
    path,
    schema,
    failed: (doing, cause) => new PulseError("THINGS", `cannot ${doing}`, { path }, cause),
  });
}

const count = (database: DurableDatabase) =>
  numberOf(database.first("SELECT count(*) AS n FROM things"), "n");
const add = (database: DurableDatabase, n: number) =>
  database.change("INSERT INTO things (n) VALUES (?)", n);

Deno.test("what was changed is there after the next opening, in files nobody else can read", () =>
  withPath((path) => {
    {
      using database = open(path);
      assert.equal(add(database, 1), 1);
      for (const file of [path, `${path}-wal`]) {
        assert.equal(Deno.statSync(file).mode! & 0o777, 0o600, file);
      }
    }
    using again = open(path);
    assert.equal(count(again), 1);
    assert.deepEqual([...again.each("SELECT n FROM things")].map((row) => numberOf(row, "n")), [1]);
  }));

Deno.test("a transaction is all or nothing, and what it tells is told when it is on the disk", () =>
  withPath((path) => {
    using database = open(path);
    const told: string[] = [];
    const failure = new Error("changed my mind");
    assert.throws(() =>
      database.transaction(() => {
        add(database, 1);
        database.afterCommit(() => told.push("first"));
        throw failure;
      }), failure);
    assert.equal(count(database), 0);
    const made = database.transaction(() => {
      database.afterCommit(() => told.push("second"));
      return add(database, 1) + add(database, 2);
    });
    assert.deepEqual([made, count(database), told], [2, 2, ["second"]]);
  }));

Deno.test("a change that cannot be made, and a file that is none, are the owner's errors", () =>
  withPath((path) => {
    {
      using database = open(path);
      add(database, 1);
      assert.throws(() => add(database, 1), { code: "THINGS", message: "cannot write" });
      assert.throws(() => database.transaction(() => add(database, 1)), { code: "THINGS" });
      // It is not left in a transaction.
      database.transaction(() => add(database, 2));
    }
    Deno.writeTextFileSync(path, "this is no database");
    assert.throws(() => open(path), { code: "THINGS", message: "cannot open" });
    assert.throws(() => open(join(path, "below")), { code: "THINGS" });
  }));

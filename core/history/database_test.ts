import assert from "node:assert/strict";
import { join } from "node:path";
import { labTest } from "../../tests/lab/requires.ts";
import { runOk } from "../../tests/lab/command.ts";
import { EventStore } from "./event_store.ts";
import { type TestStorage, withStorage } from "./testing.ts";
import type { HistoryDatabase } from "./database.ts";

const insert = (database: HistoryDatabase, text = "x") =>
  database.write(1, () => database.run("INSERT INTO labels (text) VALUES (?)", text));

const texts = (database: HistoryDatabase) =>
  database.read(() => database.all("SELECT text FROM labels").map(({ text }) => text));

Deno.test("the file and what SQLite puts beside it belong to their owner alone, and exist from the first use", () =>
  withStorage((storage) => {
    const { database } = storage.open();
    assert.deepEqual([...Deno.readDirSync(storage.dir)], []);
    assert.equal(insert(database), true);
    const files = [...Deno.readDirSync(storage.dir)].map(({ name }) => name);
    assert.ok(files.length >= 2, `${files}`);
    for (const name of files) {
      assert.equal(Deno.statSync(join(storage.dir, name)).mode! & 0o777, 0o600, name);
    }
  }));

Deno.test("a directory that cannot be written costs what is written, told once a minute, until it can", () =>
  withStorage((storage) => {
    const name = "missing/history.db";
    const { database, health } = storage.open(name);
    for (let i = 0; i < 5; i++) {
      assert.equal(insert(database), false);
      storage.clock.mono += 10_000;
    }
    assert.equal(health.lost, 5);
    assert.match(health.warning ?? "", /history\.db cannot be written/);
    assert.equal(storage.logged.length, 1);
    storage.clock.mono += 60_000;
    assert.equal(insert(database), false);
    assert.equal(storage.logged.length, 2);
    assert.throws(() => texts(database), { code: "HISTORY_UNAVAILABLE" });
    Deno.mkdirSync(join(storage.dir, "missing"));
    storage.clock.mono += 10_000;
    assert.equal(insert(database), true);
    assert.equal(health.warning, undefined);
    assert.match(storage.logged.at(-1) ?? "", /info history is written again .*"dropped":6/);
  }));

async function becomesNew(storage: TestStorage, spoil: (path: string) => void) {
  const path = join(storage.dir, "history.db");
  {
    const { database } = storage.open();
    for (let i = 0; i < 300; i++) insert(database, `${i}`.repeat(100));
    database[Symbol.dispose]();
  }
  spoil(path);
  const { database, health } = storage.open();
  assert.equal(insert(database, "new"), true);
  assert.deepEqual(texts(database), ["new"]);
  assert.equal(health.warning, undefined);
  assert.match(storage.logged.join("\n"), /moved aside, a new one is begun/);
  const aside = [];
  for await (const { name } of Deno.readDir(storage.dir)) {
    if (name.includes("corrupt")) aside.push(name);
  }
  assert.deepEqual(aside, ["history.db.corrupt-20260101T000000Z"]);
}

Deno.test("a file that is no database is moved aside and begun anew, and only the newest of them is kept", () =>
  withStorage(async (storage) => {
    Deno.writeTextFileSync(join(storage.dir, "history.db.corrupt-20250101T000000Z"), "older");
    await becomesNew(storage, (path) => Deno.writeTextFileSync(path, "no database ".repeat(1_000)));
  }));

Deno.test("a database whose pages are garbled is moved aside when it is written", () =>
  withStorage((storage) =>
    becomesNew(storage, (path) => {
      const bytes = Deno.readFileSync(path);
      // All but the header, so that it opens.
      crypto.getRandomValues(bytes.subarray(100, 4_096));
      Deno.writeFileSync(path, bytes);
    })
  ));

Deno.test("at its limit of size a write fails as on a full disk, and what was written stays", () =>
  withStorage((storage) => {
    const { database, health } = storage.open("history.db", 256 * 1024);
    let written = 0;
    while (written < 1_000 && insert(database, `${written} ${"x".repeat(1_000)}`)) written++;
    assert.ok(written > 20 && written < 256, `${written}`);
    assert.match(health.warning ?? "", /full/);
    assert.equal(texts(database).length, written);
    assert.ok(Deno.statSync(database.path).size <= 256 * 1024);
  }));

labTest("on a full disk events are lost and counted, and kept again when there is room", {
  root: true,
  commands: ["mount", "umount"],
}, () =>
  withStorage(async (storage) => {
    const disk = join(storage.dir, "disk");
    await Deno.mkdir(disk);
    await runOk(["mount", "-t", "tmpfs", "-o", "size=512k", "tmpfs", disk]);
    try {
      const { database, health } = storage.open("disk/history.db");
      const wall = () => storage.clock.wall();
      using store = new EventStore({ database, wall, steady: wall });
      store.append("before", {});
      store.flush();
      const ballast = join(disk, "ballast");
      fill(ballast);
      for (let i = 0; i < 400; i++) {
        store.append("lost", { detail: "x".repeat(900) });
        store.flush();
      }
      assert.ok(health.lost > 0);
      assert.match(health.warning ?? "", /full|I\/O/);
      assert.equal(storage.logged.length, 1);
      Deno.removeSync(ballast);
      storage.clock.mono += 10_000;
      store.append("after", {});
      const { events } = store.query({ limit: 2_000 });
      assert.equal(events[0]?.type, "after");
      assert.equal(events.at(-1)?.type, "before");
      assert.equal(health.warning, undefined);
      assert.equal(events.length + health.lost, 402);
      store[Symbol.dispose]();
      database[Symbol.dispose]();
    } finally {
      await runOk(["umount", disk]);
    }
  }));

/** Writes until there is no room. */
function fill(path: string): void {
  using file = Deno.openSync(path, { create: true, write: true });
  const block = new Uint8Array(4_096);
  try {
    for (;;) file.writeSync(block);
  } catch (error) {
    assert.match(String(error), /No space left/);
  }
}

import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { emptyBody } from "../../core/netconfig/empty_body.ts";
import { sha256 } from "./config_text.ts";
import { openScribeDatabase } from "./database.ts";
import {
  type HistoryLimits,
  historyLimits,
  type NewVersion,
  VersionHistory,
} from "./version_history.ts";

/** A history in a directory of its own. */
async function withHistory(
  run: (history: VersionHistory, path: string) => Promise<void> | void,
  limits: HistoryLimits = historyLimits,
): Promise<void> {
  const directory = await Deno.makeTempDir({ prefix: "pulse-history-" });
  try {
    using database = openScribeDatabase(`${directory}/scribe.db`);
    await run(new VersionHistory(database, limits), `${directory}/scribe.db`);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

function entry(version: number, changes: Partial<NewVersion> = {}): NewVersion {
  const bytes = new TextEncoder().encode(`signed ${version}`);
  return {
    epoch: 1,
    version,
    hash: sha256(`document ${version}`),
    parent: version === 1 ? null : sha256(`document ${version - 1}`),
    author: "5".repeat(32),
    at: version * 1000,
    by: "local",
    note: `number ${version}`,
    body: { ...emptyBody, meshCidr: `10.${version % 200}.0.0/16` },
    bytes,
    ...changes,
  };
}

Deno.test("versions are listed newest first, page by page, and found by number", async () => {
  await withHistory((history) => {
    for (let n = 1; n <= 10; n++) history.record(entry(n));
    assert.deepEqual(history.list(3).map(({ version }) => version), [10, 9, 8]);
    const page = history.list(3, { epoch: 1, version: 8 });
    assert.deepEqual(page.map(({ version }) => version), [7, 6, 5]);
    assert.equal(history.body({ epoch: 1, version: 4 }).meshCidr, "10.4.0.0/16");
    assert.throws(() => history.body({ epoch: 2, version: 4 }), { code: "CONFIG_VERSION_UNKNOWN" });
    assert.throws(() => history.list(3, { epoch: 1, version: 11 }), {
      code: "CONFIG_VERSION_UNKNOWN",
    });
    assert.deepEqual(history.verify(), { versions: 10, broken: null });
  });
});

Deno.test("the same version again changes nothing", async () => {
  await withHistory((history) => {
    history.record(entry(1));
    history.record(entry(1, { by: "somebody else" }));
    assert.deepEqual(history.list(10).map(({ by }) => by), ["local"]);
  });
});

Deno.test("only so many versions are kept, and the rest still follows from one another", async () => {
  await withHistory((history) => {
    for (let n = 1; n <= 12; n++) history.record(entry(n));
    assert.deepEqual(history.list(100).map(({ version }) => version), [12, 11, 10, 9, 8]);
    assert.deepEqual(history.verify(), { versions: 5, broken: null });
  }, { versions: 5, bytes: 1e9 });
});

Deno.test("only so many bytes are kept, but the newest version always", async () => {
  await withHistory((history) => {
    const bytes = new Uint8Array(3_000);
    for (let n = 1; n <= 6; n++) history.record(entry(n, { bytes, hash: String(n) }));
    assert.deepEqual(history.list(100).map(({ version }) => version), [6, 5, 4]);
    history.record(entry(7, { bytes: new Uint8Array(50_000), hash: "7" }));
    assert.deepEqual(history.list(100).map(({ version }) => version), [7]);
  }, { versions: 100, bytes: 10_500 });
});

Deno.test("the first version that was changed on the disk is named", async () => {
  const tamperings = [
    "UPDATE versions SET body = replace(body, '10.4', '10.5') WHERE version = 4",
    "UPDATE versions SET note = 'harmless' WHERE version = 4",
    "UPDATE versions SET bytes = x'00' WHERE version = 4",
    "UPDATE versions SET link = previous WHERE version = 4",
    "DELETE FROM versions WHERE version = 3",
  ];
  for (const tampering of tamperings) {
    await withHistory((history, path) => {
      for (let n = 1; n <= 6; n++) history.record(entry(n));
      const raw = new DatabaseSync(path);
      raw.exec(tampering);
      raw.close();
      assert.equal(history.verify().broken, "1.4", tampering);
    });
  }
});

Deno.test("the file is for its owner alone, and one that is none is refused with what to do", async () => {
  await withHistory((_, path) => {
    assert.equal(Deno.statSync(path).mode! & 0o777, 0o600);
    const other = `${path}.other`;
    Deno.writeTextFileSync(other, "this is no database, however long one looks at it".repeat(9));
    assert.throws(() => openScribeDatabase(other), { code: "SCRIBE_HISTORY" });
  });
});

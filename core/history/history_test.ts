import assert from "node:assert/strict";
import { History } from "./history.ts";
import { type TestStorage, withStorage } from "./testing.ts";

const self = "4353db8f32bad58020c6d3c9238f80c2";

function historyIn({ dir, clock, log }: TestStorage, dataDir = dir): History {
  return new History({
    dataDir,
    self,
    clock,
    log,
    resolveNode: (text) => `${text} resolved`,
    askNode: (node, query) =>
      Promise.resolve({ node, resolution: query.resolution ?? "1h", series: [], truncated: false }),
  });
}

Deno.test("events, statistics and audit entries survive a restart, in files of their owner alone", () =>
  withStorage(async (storage) => {
    {
      using history = historyIn(storage);
      assert.deepEqual([...Deno.readDirSync(storage.dir)], []);
      history.event("startup", { detail: "0.1.0" });
      history.sample([
        { peer: "a", latencyMs: 1.5, loss: 0, bytesIn: 1, bytesOut: 2, path: "quic" },
      ]);
      await history.recordAudit("api", { by: "local", method: "POST", path: "/api/stop" });
    }
    for (const { name } of Deno.readDirSync(storage.dir)) {
      assert.equal(Deno.statSync(`${storage.dir}/${name}`).mode! & 0o777, 0o600, name);
    }
    using history = historyIn(storage);
    assert.deepEqual(history.events({ limit: 9 }).events.map(({ type }) => type), ["startup"]);
    const stats = await history.stats({ since: 0, limit: 9, resolution: "10s" });
    assert.deepEqual([stats.node, stats.series[0]?.peer], [self, "a"]);
    assert.equal(history.audit({ limit: 9 }).entries[0]?.fields.path, "/api/stop");
    assert.equal((await history.verifyAudit()).entries, 1);
    assert.deepEqual(history.warnings(), []);
  }));

Deno.test("another node's statistics are asked of that node, this node's are not", () =>
  withStorage(async (storage) => {
    using history = historyIn(storage);
    assert.equal((await history.stats({ node: "far", since: 0, limit: 1 })).node, "far resolved");
    assert.equal((await history.stats({ node: self, since: 0, limit: 1 })).node, self);
  }));

Deno.test("where nothing can be written nothing throws, and the status warns", () =>
  withStorage(async (storage) => {
    using history = historyIn(storage, `${storage.dir}/missing`);
    history.event("startup", {});
    history.sample([{ peer: "a", latencyMs: 1, loss: 0, bytesIn: 0, bytesOut: 0, path: "quic" }]);
    await history.recordAudit("api", {});
    assert.deepEqual(history.warnings().map(({ code }) => code), [
      "HISTORY_UNWRITABLE",
      "HISTORY_UNWRITABLE",
    ]);
    assert.throws(() => history.events({ limit: 1 }), { code: "HISTORY_UNAVAILABLE" });
    await assert.rejects(history.verifyAudit(), { code: "HISTORY_UNAVAILABLE" });
  }));

import assert from "node:assert/strict";
import { type PeerSample, tiers } from "./rollup.ts";
import { maxRowsPerTier, maxSampledPeers, StatsStore } from "./stats_store.ts";
import { SteadyTime } from "./steady_time.ts";
import { type TestStorage, withStorage } from "./testing.ts";

const self = "4353db8f32bad58020c6d3c9238f80c2";

function storeIn({ clock, open }: TestStorage, maxRows = maxRowsPerTier) {
  const time = new SteadyTime(clock);
  const { database } = open();
  const store = new StatsStore({
    database,
    self,
    maxRows,
    wall: () => clock.wall(),
    steady: () => time.now(),
  });
  return { store, database };
}

const sample = (peer: string, changes: Partial<PeerSample> = {}): PeerSample => ({
  peer,
  latencyMs: 10,
  loss: 0,
  bytesIn: 0,
  bytesOut: 0,
  path: "quic",
  ...changes,
});

Deno.test("an hour of samples is there in all three resolutions, added up", () =>
  withStorage((storage) => {
    const { store } = storeIn(storage);
    const begin = storage.clock.wall();
    for (let i = 0; i < 360; i++) {
      store.record([sample("a", { latencyMs: i < 180 ? 10 : 30, bytesIn: (i + 1) * 100 })]);
      storage.clock.mono += 10_000;
    }
    const points = (resolution: "10s" | "5m" | "1h") => {
      const answer = store.query({ since: begin, resolution, limit: 10_000 });
      assert.deepEqual(answer.series.map(({ peer }) => peer), ["a"]);
      return answer.series[0]!.points;
    };
    assert.equal(points("10s").length, 360);
    assert.equal(points("5m").length, 12);
    assert.deepEqual(points("1h"), [{
      at: "2026-01-01T00:00:00.000Z",
      samples: 360,
      latencyMs: 20,
      worstLatencyMs: 30,
      loss: 0,
      bytesIn: 36_000,
      bytesOut: 0,
      path: "quic",
    }]);
    assert.equal(points("5m").reduce((sum, point) => sum + point.bytesIn, 0), 36_000);
  }));

Deno.test("a gap leaves buckets out, and a restart in the middle of a bucket goes on with it", () =>
  withStorage((storage) => {
    storeIn(storage).store.record([sample("a", { bytesIn: 100 })]);
    storage.clock.mono += 30_000;
    const { store } = storeIn(storage);
    store.record([sample("a", { bytesIn: 7, latencyMs: null, path: "-" })]);
    const query = { since: 0, limit: 100 };
    const fine = store.query({ ...query, resolution: "10s" }).series[0]!.points;
    assert.deepEqual(fine.map(({ at, latencyMs }) => [at, latencyMs]), [
      ["2026-01-01T00:00:00.000Z", 10],
      ["2026-01-01T00:00:30.000Z", null],
    ]);
    const [hour] = store.query({ ...query, resolution: "1h" }).series[0]!.points;
    assert.deepEqual([hour?.samples, hour?.bytesIn, hour?.latencyMs], [2, 107, 10]);
  }));

Deno.test("a clock set back adds to the buckets that are there and overwrites none", () =>
  withStorage((storage) => {
    const { store } = storeIn(storage);
    for (let i = 1; i <= 6; i++) {
      store.record([sample("a", { bytesIn: i * 100 })]);
      storage.clock.mono += 10_000;
    }
    storage.clock.offset -= 60_000;
    for (let i = 7; i <= 12; i++) {
      store.record([sample("a", { bytesIn: i * 100 })]);
      storage.clock.mono += 10_000;
    }
    const { points } = store.query({ since: 0, resolution: "10s", limit: 100 }).series[0]!;
    assert.deepEqual(points.map(({ samples }) => samples), [2, 2, 2, 2, 2, 2]);
    assert.equal(points.reduce((sum, { bytesIn }) => sum + bytesIn, 0), 1_200);
  }));

Deno.test("a clock that jumps a year ahead costs nothing that is kept", () =>
  withStorage((storage) => {
    const { store } = storeIn(storage);
    store.record([sample("a")]);
    storage.clock.offset += 365 * 86_400_000;
    // Long enough for what is too old to be looked for.
    for (let i = 0; i < 60; i++) {
      storage.clock.mono += 10_000;
      store.record([sample("a")]);
    }
    storage.clock.offset -= 365 * 86_400_000;
    const { points } = store.query({ since: 0, resolution: "10s", limit: 1_000 }).series[0]!;
    assert.equal(points[0]?.at, "2026-01-01T00:00:00.000Z");
  }));

Deno.test("each resolution is kept for its own time", () =>
  withStorage((storage) => {
    const { store, database } = storeIn(storage);
    // A sample every 20 minutes for 100 days.
    for (let i = 0; i < 100 * 72; i++) {
      store.record([sample("a")]);
      storage.clock.mono += 1_200_000;
    }
    const now = storage.clock.wall() / 1000;
    database.read(() => {
      for (const { seconds, keepSeconds } of tiers) {
        const row = database.first(
          "SELECT MIN(start) AS oldest FROM stats WHERE seconds = ?",
          seconds,
        );
        const age = now - Number(row?.oldest);
        // Looked for every 30 samples: ten hours here.
        assert.ok(age >= keepSeconds && age <= keepSeconds + 11 * 3_600, `${seconds}: ${age}`);
      }
    });
  }));

Deno.test("rows beyond a tier's limit go, the oldest first, and peers beyond the limit are not sampled", () =>
  withStorage((storage) => {
    const { store, database } = storeIn(storage, { "10s": 1_000, "5m": 300, "1h": 300 });
    const peers = Array.from({ length: maxSampledPeers + 44 }, (_, i) => sample(`peer${i}`));
    for (let i = 0; i < 30; i++) {
      store.record(peers);
      storage.clock.mono += 10_000;
    }
    database.read(() => {
      const rows = database.all("SELECT seconds, COUNT(*) AS n FROM stats GROUP BY seconds");
      for (const { n, seconds } of rows) {
        assert.ok(Number(n) <= (seconds === 10 ? 1_000 : 300), `${seconds}: ${n}`);
      }
      const last = database.first("SELECT COUNT(*) AS n FROM stats WHERE seconds = 3600");
      assert.equal(last?.n, maxSampledPeers);
    });
    const answer = store.query({ since: 0, resolution: "10s", limit: 500 });
    assert.equal(answer.truncated, true);
    assert.equal(answer.series.reduce((sum, { points }) => sum + points.length, 0), 500);
    assert.equal(
      store.query({ since: 0, resolution: "10s", limit: 500, peer: "peer3" }).series.length,
      1,
    );
  }));

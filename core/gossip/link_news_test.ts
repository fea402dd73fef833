import assert from "node:assert/strict";
import { LinkNews } from "./link_news.ts";
import { seededRandom } from "./testing.ts";

const peer = "11".repeat(16);

/** Feeds a link's measurements every five seconds; what was reported, whenever it changed. */
function changes(minutes: number, measure: (now: number) => { latencyMs: number; loss: number }) {
  const news = new LinkNews();
  const seen: { now: number; latencyMs: number; loss: number }[] = [];
  for (let now = 0; now <= minutes * 60_000; now += 5_000) {
    const [report] = news.reports([{ peer, ...measure(now) }], now);
    const last = seen.at(-1);
    if (report!.latencyMs !== last?.latencyMs || report!.loss !== last.loss) {
      seen.push({ now, latencyMs: report!.latencyMs, loss: report!.loss });
    }
  }
  return seen;
}

/** Loss among the last ten probes, as the prober gives it. */
function windowOf(chance: number, random: () => number): () => number {
  const window: boolean[] = [];
  return () => {
    window.push(random() < chance);
    if (window.length > 10) window.shift();
    return window.filter(Boolean).length / window.length;
  };
}

Deno.test("an hour of a link with jitter and one percent loss is one report", () => {
  const random = seededRandom(5);
  const loss = windowOf(0.01, random);
  const seen = changes(60, () => ({ latencyMs: 40 * (0.95 + 0.1 * random()), loss: loss() }));
  assert.ok(seen.length <= 2, JSON.stringify(seen));
});

Deno.test("a link that becomes twice as slow is reported at the next measurement", () => {
  const seen = changes(2, (now) => ({ latencyMs: now < 60_000 ? 20 : 45, loss: 0 }));
  assert.deepEqual(seen.map(({ now }) => now), [0, 60_000]);
});

Deno.test("heavy loss is reported at once, and its end too", () => {
  const seen = changes(3, (now) => ({
    latencyMs: 20,
    loss: now >= 60_000 && now < 90_000 ? 0.6 : 0,
  }));
  assert.deepEqual(seen.map(({ now, loss }) => [now, loss]), [[0, 0], [60_000, 0.5], [
    90_000,
    0.05,
  ]]);
});

Deno.test("lasting light loss is reported within five minutes", () => {
  const random = seededRandom(7);
  const loss = windowOf(0.1, random);
  const seen = changes(30, () => ({ latencyMs: 20, loss: loss() }));
  const told = seen.find((report) => report.loss > 0);
  assert.ok(told !== undefined && told.now <= 300_000, JSON.stringify(seen));
  assert.ok(seen.length <= 12, JSON.stringify(seen));
});

Deno.test("a measurement that crawls makes at most one report in half a minute", () => {
  const seen = changes(20, (now) => ({ latencyMs: 10 + now / 10_000, loss: 0 }));
  seen.forEach(({ now }, i) => assert.ok(i < 2 || now - seen[i - 1]!.now >= 30_000));
});

Deno.test("links come in the order given, and what is gone is forgotten", () => {
  const news = new LinkNews();
  const link = (n: number, latencyMs: number) => ({
    peer: n.toString(16).padStart(32, "0"),
    latencyMs,
    loss: 0,
  });
  const ids = (reports: readonly { peer: string }[]) =>
    reports.map((report) => Number(`0x${report.peer}`));
  assert.deepEqual(ids(news.reports([link(2, 10), link(1, 10)], 0)), [2, 1]);
  assert.deepEqual(ids(news.reports([link(1, 10)], 1)), [1]);
  // Held at 10 ms it would keep the old value for 11 ms; a new link reports what it measures.
  assert.notEqual(
    news.reports([link(2, 12.1)], 2)[0]!.latencyMs,
    news.reports([link(1, 10)], 3)[0]!.latencyMs,
  );
});

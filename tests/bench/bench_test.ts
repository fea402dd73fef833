import assert from "node:assert/strict";
import { type Bench, reached, runGroup } from "./bench.ts";

function scripted(name: string, values: number[], log: string[], more: Partial<Bench> = {}): Bench {
  return {
    name,
    title: name,
    unit: "Gbit/s",
    ...more,
    start: () =>
      Promise.resolve({
        round() {
          log.push(name);
          return Promise.resolve(values.shift() ?? NaN);
        },
        [Symbol.asyncDispose]() {
          log.push(`${name} ends`);
          return Promise.resolve();
        },
      }),
  };
}

Deno.test("rounds take turns, the first of each is thrown away, all is ended, ratios are of medians", async () => {
  const log: string[] = [];
  const group = {
    title: "t",
    rounds: 3,
    benches: [
      scripted("raw", [99, 4, 5, 6], log),
      scripted("ours", [0, 5, 3, 4], log, { target: 4, against: { name: "raw", target: 0.9 } }),
    ],
  };
  const [raw, ours] = await runGroup(group, () => true, () => {});
  assert.equal(raw?.median, 5);
  assert.deepEqual([ours?.median, ours?.lowest, ours?.highest, ours?.ratio], [4, 3, 5, 0.8]);
  assert.equal(ours && reached(ours), false);
  assert.deepEqual(log, [
    ...["raw", "ours", "raw", "ours", "raw", "ours", "raw", "ours"],
    ...["ours ends", "raw ends"],
  ]);
});

Deno.test("choosing one bench also runs what it is held against, and nothing else", async () => {
  const log: string[] = [];
  const group = {
    title: "t",
    rounds: 1,
    benches: [
      scripted("other", [1, 1], log),
      scripted("raw", [1, 2], log),
      scripted("ours", [1, 1], log, { against: { name: "raw", target: 0.5 } }),
    ],
  };
  const results = await runGroup(group, (bench) => bench.name === "ours", () => {});
  assert.deepEqual(results.map((result) => result.bench.name), ["raw", "ours"]);
  assert.equal(results[1] && reached(results[1]), true);
  assert.equal(log.includes("other"), false);
});

Deno.test("throughput must be at least its target, everything else at most", () => {
  const result = { median: 3, lowest: 3, highest: 3, ratio: undefined };
  const of = (unit: Bench["unit"], target?: number) =>
    reached({
      ...result,
      bench: scripted("x", [], [], target === undefined ? { unit } : { unit, target }),
    });
  assert.deepEqual([of("Gbit/s", 2), of("Gbit/s", 4)], [true, false]);
  assert.deepEqual([of("ms", 2), of("MB", 4)], [false, true]);
  assert.equal(of("ms"), undefined);
});

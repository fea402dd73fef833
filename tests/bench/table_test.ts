import assert from "node:assert/strict";
import type { Bench } from "./bench.ts";
import { layOut, resultTable } from "./table.ts";

const start = () => Promise.reject(new Error("not started in this test"));

Deno.test("columns are as wide as their widest cell", () => {
  assert.equal(layOut([["", "a"], ["xy", "123"]]), "      a\nxy  123");
});

Deno.test("a row names median, spread, ratio, targets and the verdict", () => {
  const bench: Bench = {
    name: "quic",
    title: "QUIC session",
    unit: "Gbit/s",
    target: 4,
    against: { name: "raw", target: 0.7 },
    start,
  };
  const table = resultTable([{ bench, median: 4.51, lowest: 4, highest: 123.4, ratio: 0.823 }]);
  const row = table.split("\n")[1]?.split(/ {2,}/);
  assert.deepEqual(row, [
    "QUIC session",
    "4.51 Gbit/s",
    "4.00",
    "123",
    "0.82 x raw",
    ">= 4 Gbit/s and >= 0.7 x",
    "reached",
  ]);
});

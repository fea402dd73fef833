import assert from "node:assert/strict";
import { Histogram } from "./histogram.ts";

Deno.test("an observation is counted at the first bound that is not below it", () => {
  const histogram = new Histogram([1, 10]);
  for (const value of [0.5, 1, 1.1, 10, 11, 1000]) histogram.observe(value);
  assert.deepEqual(histogram.snapshot(), { bounds: [1, 10], counts: [2, 2, 2], sum: 1023.6 });
  assert.equal(histogram.count, 6);
});

Deno.test("what is no number is not counted", () => {
  const histogram = new Histogram([1]);
  for (const value of [NaN, Infinity, -Infinity]) histogram.observe(value);
  assert.deepEqual([histogram.count, histogram.snapshot().sum], [0, 0]);
});

import assert from "node:assert/strict";
import { gigabitsPerSecond, median, quantile } from "./statistics.ts";

Deno.test("the median is the middle value, or the mean of the two in the middle", () => {
  assert.equal(median([5, 1, 3]), 3);
  assert.equal(median([4, 1, 3, 2]), 2.5);
  assert.equal(Number.isNaN(median([])), true);
});

Deno.test("a quantile is one of the values, by nearest rank", () => {
  const numbers = Array.from({ length: 100 }, (_, i) => 100 - i);
  assert.equal(quantile(numbers, 0.5), 51);
  assert.equal(quantile(numbers, 0.99), 100);
  assert.equal(quantile([7], 0.99), 7);
});

Deno.test("throughput is in units of 10^9 bits", () => {
  assert.equal(gigabitsPerSecond(125_000_000, 1), 1);
});

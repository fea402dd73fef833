import assert from "node:assert/strict";
import { sparkline } from "./sparkline.ts";

Deno.test("the largest value is full height, gaps stay gaps, nothing is nothing", () => {
  assert.equal(sparkline([0, 1, 2, null, 4], 10), "▁▃▅ █");
  assert.equal(sparkline([0, 0], 10), "▁▁");
  assert.equal(sparkline([null], 10), " ");
  assert.equal(sparkline([], 10), "");
});

Deno.test("more values than there is room for are averaged, gaps left out", () => {
  assert.equal(sparkline([1, 3, 4, 4, null, 8, null, null], 4), "▃▅█ ");
});

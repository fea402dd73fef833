import assert from "node:assert/strict";
import { RateLimit, RateLimits } from "./rate_limit.ts";

Deno.test("a burst passes, then as many as come back with time", () => {
  const limit = new RateLimit(3, 2, 0);
  const takes = (now: number) => {
    let count = 0;
    while (limit.take(now)) count++;
    return count;
  };
  assert.equal(takes(0), 3);
  assert.equal(takes(400), 0);
  assert.equal(takes(500), 1);
  assert.equal(takes(60_000), 3);
  assert.equal(takes(1000), 0); // a clock set back gives nothing and takes nothing
});

Deno.test("sources do not use up each other's share, and only so many are remembered", () => {
  const limits = new RateLimits(1, 0.001, 2);
  assert.equal(limits.take("a", 0), true);
  assert.equal(limits.take("a", 0), false);
  assert.equal(limits.take("b", 0), true);
  assert.equal(limits.take("c", 0), true); // "a" is forgotten
  assert.equal(limits.take("b", 0), false);
  assert.equal(limits.take("a", 0), true);
});

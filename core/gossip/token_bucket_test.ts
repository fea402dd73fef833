import assert from "node:assert/strict";
import { TokenBucket } from "./token_bucket.ts";

Deno.test("a burst is there at once, then the rate decides", () => {
  const bucket = new TokenBucket(3, 2, 0);
  assert.deepEqual([1, 2, 3, 4].map(() => bucket.take(1, 0)), [true, true, true, false]);
  assert.equal(bucket.waitFor(1, 0), 500);
  assert.equal(bucket.take(1, 499), false);
  assert.equal(bucket.take(1, 500), true);
});

Deno.test("nothing is taken when there is too little, and no more than the burst is saved", () => {
  const bucket = new TokenBucket(3, 1, 0);
  assert.equal(bucket.take(4, 1_000_000), false);
  assert.equal(bucket.take(3, 1_000_000), true);
  assert.equal(bucket.take(1, 1_000_000), false);
});

Deno.test("time that stands still or goes back gives nothing", () => {
  const bucket = new TokenBucket(1, 1, 1_000);
  assert.equal(bucket.take(1, 1_000), true);
  assert.equal(bucket.take(1, 0), false);
  assert.equal(bucket.take(1, 1_999), false);
  assert.equal(bucket.take(1, 2_000), true);
});

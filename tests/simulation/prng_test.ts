import assert from "node:assert/strict";
import { Prng } from "./prng.ts";

const draw = (random: Prng, count: number) => Array.from({ length: count }, () => random.next());

Deno.test("the same seed draws the same numbers, another seed others", () => {
  assert.deepEqual(draw(new Prng("1"), 50), draw(new Prng("1"), 50));
  assert.notDeepEqual(draw(new Prng("1"), 50), draw(new Prng("2"), 50));
});

Deno.test("a fork does not depend on what was drawn before it", () => {
  const late = new Prng("1");
  draw(late, 10);
  assert.deepEqual(draw(late.fork("wire"), 10), draw(new Prng("1").fork("wire"), 10));
  assert.notDeepEqual(draw(late.fork("wire"), 10), draw(late.fork("links"), 10));
});

Deno.test("numbers are spread evenly over [0, 1)", () => {
  const buckets = new Array<number>(10).fill(0);
  for (const value of draw(new Prng("even"), 100_000)) {
    assert.ok(value >= 0 && value < 1);
    buckets[Math.floor(value * 10)]!++;
  }
  for (const count of buckets) assert.ok(Math.abs(count - 10_000) < 500, String(buckets));
});

Deno.test("nothing cannot be picked from", () => {
  assert.throws(() => new Prng("1").pick([]), RangeError);
});

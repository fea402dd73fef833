import assert from "node:assert/strict";
import { Backoff } from "./backoff.ts";

Deno.test("waits double from one second to sixty and keep to their upper half", () => {
  const low = new Backoff({ random: () => 0 });
  const high = new Backoff({ random: () => 0.999999 });
  for (const full of [1, 2, 4, 8, 16, 32, 60, 60, 60]) {
    assert.equal(low.failed(), full * 500);
    assert.ok(high.failed() <= full * 1000);
  }
});

Deno.test("a connection that lived resets the wait, one that was closed at once does not", () => {
  const backoff = new Backoff({ random: () => 0 });
  backoff.failed();
  backoff.failed();
  assert.equal(backoff.ended(100), 2_000);
  assert.equal(backoff.ended(100), 4_000);
  assert.equal(backoff.ended(60_000), 0);
  assert.equal(backoff.failed(), 500);
});

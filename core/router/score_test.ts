import assert from "node:assert/strict";
import fc from "fast-check";
import { score } from "./score.ts";

const close = (actual: number, expected: number) =>
  assert.ok(Math.abs(actual - expected) < 1e-9, `${actual} is not ${expected}`);

Deno.test("the known values hold: a lossy direct link, three relays, an unmeasured link", () => {
  close(score(10, 0.2, 0), 20);
  close(score(10, 0, 3), 19);
  close(score(0, 0, 0), 500);
});

Deno.test("a direct link pays no hop penalty", () => {
  close(score(10, 0, 0), 10);
});

Deno.test("what was never measured, or cannot have been, counts as 500 ms", () => {
  for (const latency of [0, -1, NaN, Infinity, -Infinity]) close(score(latency, 0, 0), 500);
});

Deno.test("a quick path over a relay beats a slow direct one", () => {
  assert.ok(score(5, 0, 1) < score(200, 0, 0));
});

Deno.test("the score is finite and positive whatever a peer reports", () => {
  fc.assert(fc.property(fc.double(), fc.double(), fc.nat(16), (latency, loss, hops) => {
    const value = score(latency, loss, hops);
    assert.ok(Number.isFinite(value) && value > 0);
  }));
});

Deno.test("more latency, more loss or more relays never improve a score", () => {
  const latency = fc.double({ min: 0.01, max: 1e4, noNaN: true });
  const loss = fc.double({ min: 0, max: 1, noNaN: true });
  fc.assert(
    fc.property(latency, loss, fc.nat(15), latency, loss, (l, p, h, moreLatency, moreLoss) => {
      const base = score(l, p, h);
      assert.ok(score(l + moreLatency, p, h) >= base);
      assert.ok(score(l, Math.max(p, moreLoss), h) >= base);
      assert.ok(score(l, p, h + 1) > base);
    }),
  );
});

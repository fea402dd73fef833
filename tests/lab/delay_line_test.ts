import assert from "node:assert/strict";
import { DelayLine } from "./delay_line.ts";
import { eventually } from "./wait.ts";

Deno.test("things come out in order and not before their time", async () => {
  const out: { item: number; after: number }[] = [];
  const began = performance.now();
  using line = new DelayLine<number>(
    10,
    (item) => out.push({ item, after: performance.now() - began }),
  );
  line.push(1, 30);
  line.push(2, 0);
  await eventually(() => out.length === 2, { what: "both come out", intervalMs: 5 });
  assert.deepEqual(out.map(({ item }) => item), [1, 2]);
  assert.ok(out.every(({ after }) => after >= 29), "a shorter delay does not overtake");
});

Deno.test("what does not fit is dropped, and nothing comes out of a closed line", () => {
  const line = new DelayLine<number>(2, () => assert.fail("delivered after the end"));
  assert.deepEqual([1, 2, 3].map((item) => line.push(item, 1)), [true, true, false]);
  line[Symbol.dispose]();
  assert.equal(line.push(4, 1), false);
});

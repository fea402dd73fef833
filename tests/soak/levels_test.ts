import assert from "node:assert/strict";
import { growth, type Level } from "./levels.ts";

const series = (level: (n: number) => Partial<Level>): Level[] =>
  Array.from({ length: 40 }, (_, n) => ({
    residentBytes: 200e6,
    files: 50,
    networkLines: 9,
    ...level(n),
  }));
const found = (level: (n: number) => Partial<Level>) => growth(new Map([["a", series(level)]]));

Deno.test("what goes up and down, and what grows only in the first quarter, is no growth", () => {
  assert.deepEqual(
    found((n) => ({ residentBytes: n < 10 ? n * 20e6 : 200e6 + n % 5 * 30e6, files: 50 + n % 3 })),
    [],
  );
});

Deno.test("memory, files, routes and rules that stay are each growth", () => {
  assert.match(found((n) => ({ residentBytes: 200e6 + n * 3e6 }))[0]!, /^a: 230 MB became 290$/);
  assert.match(found((n) => ({ files: 50 + n }))[0]!, /60 open files became 80/);
  assert.match(found((n) => ({ networkLines: n < 35 ? 9 : 10 }))[0] ?? "", /^$/);
  assert.match(
    found((n) => ({ networkLines: n < 30 ? 9 : 10 }))[0]!,
    /9 routes and rules became 10/,
  );
  assert.throws(() => growth(new Map([["a", series(() => ({})).slice(0, 3)]])), RangeError);
});

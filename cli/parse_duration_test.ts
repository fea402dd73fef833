import assert from "node:assert/strict";
import { parseDuration } from "./parse_duration.ts";
import { UsageError } from "./usage_error.ts";

Deno.test("a time is numbers with their units, and nothing else", () => {
  assert.deepEqual(["0s", "90s", "15m", "24h", " 7d ", "1h30m"].map(parseDuration), [
    0,
    90,
    900,
    86_400,
    604_800,
    5_400,
  ]);
  for (const text of ["", "1", "h", "-1h", "1.5h", "1y", "1h 30m", "9".repeat(20) + "s"]) {
    assert.throws(() => parseDuration(text), UsageError, text);
  }
});

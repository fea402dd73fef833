import assert from "node:assert/strict";
import { parseDuration } from "./duration.ts";

Deno.test("times to live are seconds or a number with a unit", () => {
  assert.equal(parseDuration(90), 90_000);
  assert.equal(parseDuration("90s"), 90_000);
  assert.equal(parseDuration("15m"), 900_000);
  assert.equal(parseDuration("24h"), 86_400_000);
  assert.equal(parseDuration("7d"), 604_800_000);
  for (const bad of ["", "0s", "-1h", "1.5h", "h", "99999d", 0, -1, NaN, Infinity]) {
    assert.throws(() => parseDuration(bad), { code: "CA_REQUEST_INVALID" }, String(bad));
  }
});

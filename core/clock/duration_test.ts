import assert from "node:assert/strict";
import { readDuration, readTimeToLive } from "./duration.ts";

Deno.test("durations are numbers with units, one or several", () => {
  const cases = {
    "90s": 90,
    "15m": 900,
    "1h30m": 5_400,
    "24h": 86_400,
    "7d": 604_800,
    "2w": 1_209_600,
  };
  for (const [text, seconds] of Object.entries(cases)) {
    assert.equal(readDuration(text), seconds * 1_000, text);
  }
  for (const bad of ["", "h", "1", "1.5h", "-1h", "1y", "1h ", "h1", "1000000000000s"]) {
    assert.equal(readDuration(bad), undefined, bad);
  }
});

Deno.test("a time to live is between a second and ten years", () => {
  assert.equal(readTimeToLive(90), 90_000);
  assert.equal(readTimeToLive("1h30m"), 5_400_000);
  for (const bad of ["", "0s", "99999d", 0, -1, 0.1, NaN, Infinity]) {
    assert.ok(typeof readTimeToLive(bad) === "object", String(bad));
  }
});

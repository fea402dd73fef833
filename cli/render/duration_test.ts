import assert from "node:assert/strict";
import { formatDuration } from "./duration.ts";

Deno.test("a time is told in its two largest units", () => {
  for (
    const [seconds, text] of [
      [0, "0s"],
      [-5, "0s"],
      [12.9, "12s"],
      [61, "1m 1s"],
      [3_600, "1h"],
      [3_725, "1h 2m"],
      [7_776_000, "90d"],
      [90_061, "1d 1h"],
      [86_401, "1d"],
    ] as const
  ) assert.equal(formatDuration(seconds), text);
});

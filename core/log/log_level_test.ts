import assert from "node:assert/strict";
import { PulseError } from "../errors/mod.ts";
import { logLevelRank, parseLogLevel } from "./log_level.ts";

Deno.test("a level is read in any case and warning is another word for warn", () => {
  assert.equal(parseLogLevel("DEBUG"), "debug");
  assert.equal(parseLogLevel(" Info "), "info");
  assert.equal(parseLogLevel("warning"), "warn");
  assert.equal(parseLogLevel("Error"), "error");
});

Deno.test("an unknown level is an error that lists the levels", () => {
  for (const text of ["", "verbose", "2"]) {
    assert.throws(
      () => parseLogLevel(text),
      (error) =>
        error instanceof PulseError && error.code === "LOG_LEVEL_INVALID" &&
        error.message.includes("debug, info, warn or error"),
    );
  }
});

Deno.test("levels are ordered debug, info, warn, error", () => {
  const ranks = (["debug", "info", "warn", "error"] as const).map(logLevelRank);
  assert.deepEqual(ranks, [0, 1, 2, 3]);
});

import assert from "node:assert/strict";
import { closest } from "./closest.ts";

const commands = ["start", "stop", "status", "id", "cert", "join", "invite", "logs"];

Deno.test("a mistyped word finds the one that was meant", () => {
  for (
    const [word, meant] of [["stauts", "status"], ["sart", "start"], ["jion", "join"], [
      "log",
      "logs",
    ], ["di", "id"]]
  ) {
    assert.equal(closest(word!, commands), meant);
  }
});

Deno.test("a word that is near nothing finds nothing", () => {
  for (const word of ["", "frobnicate", "xyz", "a".repeat(10_000)]) {
    assert.equal(closest(word, commands), undefined);
  }
});

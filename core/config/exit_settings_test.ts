import assert from "node:assert/strict";
import { parseExitCidrs } from "./exit_settings.ts";

Deno.test("ranges of an exit are one list in their one spelling, everywhere where none is named", () => {
  assert.deepEqual(parseExitCidrs(), ["0.0.0.0/0", "::/0"]);
  assert.deepEqual(parseExitCidrs(["192.168.7.5/24, 10.0.0.1", "10.0.0.1/32", "FD00::/8"]), [
    "192.168.7.0/24",
    "10.0.0.1/32",
    "fd00::/8",
  ]);
});

Deno.test("more ranges than others would take are refused", () => {
  const many = Array.from({ length: 33 }, (_, n) => `10.${n}.0.0/16`);
  assert.throws(() => parseExitCidrs(many), /at most 32/);
});

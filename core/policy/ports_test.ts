import assert from "node:assert/strict";
import fc from "fast-check";
import { PolicyError } from "./errors.ts";
import { formatPorts, parsePorts } from "./ports.ts";
import { anyPortRange } from "./testing.ts";

Deno.test("ports and ranges are read with blanks, and a star or nothing means all", () => {
  assert.deepEqual(parsePorts(" 22, 443 ,8000 - 9000"), [
    { from: 22, to: 22 },
    { from: 443, to: 443 },
    { from: 8000, to: 9000 },
  ]);
  for (const all of ["", "*", " * "]) assert.deepEqual(parsePorts(all), []);
});

Deno.test("what is printed reads back the same", () => {
  fc.assert(fc.property(fc.array(anyPortRange(), { maxLength: 64 }), (ranges) => {
    assert.deepEqual(parsePorts(formatPorts(ranges)), ranges);
  }));
});

Deno.test("the part that is no port is named", () => {
  const parts = ["0", "65536", "9-8", "ssh", "1-", "-1", "1-2-3", "", "1.5", "٣", "0x16"];
  for (const part of parts) {
    assert.throws(
      () => parsePorts(`22,${part}`),
      (error) =>
        error instanceof PolicyError && error.code === "POLICY_PORTS" &&
        error.message.startsWith(`"${part}" `),
    );
  }
  assert.throws(() => parsePorts(new Array(65).fill("1").join(",")), /64 ports and ranges at most/);
});

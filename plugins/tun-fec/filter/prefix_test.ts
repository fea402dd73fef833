import assert from "node:assert/strict";
import { parsePrefix } from "./prefix.ts";

const hex = (words: readonly number[]) =>
  words.map((word) => word.toString(16).padStart(8, "0")).join("");

Deno.test("addresses and CIDRs of both families become four words", () => {
  const cases = [
    ["10.100.0.0/16", "00000000000000000000ffff0a640000", "f".repeat(24) + "ffff0000"],
    ["10.100.1.2", "00000000000000000000ffff0a640102", "f".repeat(32)],
    ["0.0.0.0/0", "00000000000000000000ffff00000000", "f".repeat(24) + "0".repeat(8)],
    ["10.1.2.3/8", "00000000000000000000ffff0a000000", "f".repeat(24) + "ff000000"],
    ["fd00:1::7/48", "fd000001" + "0".repeat(24), "f".repeat(12) + "0".repeat(20)],
    ["::/0", "0".repeat(32), "0".repeat(32)],
    ["::ffff:1.2.3.4", "00000000000000000000ffff01020304", "f".repeat(32)],
    ["1:2:3:4:5:6:7:8", "00010002000300040005000600070008", "f".repeat(32)],
  ] as const;
  for (const [text, network, mask] of cases) {
    const prefix = parsePrefix(text);
    assert.deepEqual([hex(prefix.network), hex(prefix.mask)], [network, mask], text);
  }
});

Deno.test("what is neither is refused", () => {
  for (
    const text of ["", "x", "1.2.3", "1.2.3.4/33", "::/129", "1.2.3.4/8/8", "fe80::1%1", "1.2.3.4/"]
  ) {
    assert.throws(() => parsePrefix(text), { code: "PREFIX_INVALID" }, text);
  }
});

import assert from "node:assert/strict";
import { defaultNetworkName, parseNetworkName } from "./network_name.ts";

Deno.test("a network name is one DNS label of at most 32 characters", () => {
  for (const name of [defaultNetworkName, "a", "corp-2", "0", "x".repeat(32)]) {
    assert.equal(parseNetworkName(name), name);
  }
  const bad = ["", "-a", "a-", "A", "a.b", "a_b", "x".repeat(33), "é", "a\n", "a b"];
  for (const name of bad) {
    assert.throws(
      () => parseNetworkName(name),
      { code: "IDENTITY_NETWORK_INVALID" },
      JSON.stringify(name),
    );
  }
});

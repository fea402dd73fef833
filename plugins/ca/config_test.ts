import assert from "node:assert/strict";
import { parseConfig } from "./config.ts";

Deno.test("an empty configuration is complete", () => {
  assert.deepEqual(parseConfig({}), { meshCidr: "10.100.0.0/16", days: 90 });
  assert.deepEqual(parseConfig(null), parseConfig({}));
});

Deno.test("a bad configuration is refused with what is wrong", () => {
  assert.throws(() => parseConfig({ token: "short" }), { code: "JOIN_TOKEN_WEAK" });
  assert.throws(() => parseConfig({ meshCidr: "10.0.0.0/31" }), { code: "MESH_CIDR_INVALID" });
  for (const bad of [{ days: 0 }, { days: "90" }, { network: "A b" }, { tokn: "x" }, "x", []]) {
    assert.throws(() => parseConfig(bad), { code: "CA_CONFIG_INVALID" }, JSON.stringify(bad));
  }
});

import assert from "node:assert/strict";
import { parseConfig } from "./config.ts";

Deno.test("without a configuration SOCKS serves loopback, everybody there, and the mesh only", () => {
  for (const nothing of [null, {}]) {
    assert.deepEqual(parseConfig(nothing), {
      hostname: "127.0.0.1",
      port: 1080,
      users: new Map(),
      direct: false,
      udp: false,
    });
  }
});

Deno.test("what the operator says is taken, and an address without a host is every address", () => {
  const { hostname, port, users, direct } = parseConfig({
    listen: ":9050",
    users: { ann: "secret" },
    direct: true,
  });
  assert.deepEqual([hostname, port, users.get("ann"), direct], ["0.0.0.0", 9050, "secret", true]);
  assert.equal(parseConfig({ listen: "[::1]:1" }).hostname, "::1");
});

Deno.test("mistakes are named", () => {
  assert.throws(() => parseConfig({ listen: "x" }), /listen: "x" is not an address/);
  assert.throws(() => parseConfig({ lisen: ":1" }), /lisen/);
  assert.throws(() => parseConfig({ users: { ann: "ü".repeat(128) } }), /users.ann: is longer/);
  assert.throws(() => parseConfig({ users: { ann: "" } }), /users.ann/);
  assert.throws(() => parseConfig({ direct: "yes" }), { code: "SOCKS_CONFIG" });
});

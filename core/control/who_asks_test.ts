import assert from "node:assert/strict";
import { whoAsks } from "./who_asks.ts";

Deno.test("who asks is told apart from where", () => {
  assert.deepEqual(whoAsks("local"), { by: "local", from: "this machine" });
  assert.deepEqual(whoAsks("key:4f2a@10.0.0.9"), { by: "key:4f2a", from: "10.0.0.9" });
  assert.deepEqual(whoAsks("key:4f2a@fe80::1%eth0"), { by: "key:4f2a", from: "fe80::1%eth0" });
});

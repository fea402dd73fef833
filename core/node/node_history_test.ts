import assert from "node:assert/strict";
import { mayReadStats } from "./node_history.ts";

Deno.test("what a node measured is for the CA and for the scribe of the grant in force, whatever a certificate says", () => {
  const [desk, other] = ["d".repeat(32), "e".repeat(32)];
  assert.equal(mayReadStats({ id: desk, roles: [] }, desk), true);
  assert.equal(mayReadStats({ id: other, roles: ["ca"] }, desk), true);
  assert.equal(mayReadStats({ id: other, roles: [] }, desk), false);
  assert.equal(mayReadStats({ id: other, roles: ["scribe", "exit"] }, desk), false);
  assert.equal(mayReadStats({ id: other, roles: [] }, null), false);
});

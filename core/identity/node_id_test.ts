import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { nodeIdFromPublicKey, parseNodeId } from "./node_id.ts";

Deno.test("a node id is the first 16 bytes of SHA-256 over the raw public key", () => {
  const key = new Uint8Array(32).fill(7);
  const expected = createHash("sha256").update(key).digest("hex").slice(0, 32);
  assert.equal(nodeIdFromPublicKey(key), expected);
  assert.equal(parseNodeId(expected), expected);
});

Deno.test("a public key of another length has no node id", () => {
  assert.throws(() => nodeIdFromPublicKey(new Uint8Array(31)), { code: "IDENTITY_KEY_INVALID" });
});

Deno.test("only 32 lower-case hex characters are a node id", () => {
  const bad = ["", "abc", "A".repeat(32), "g".repeat(32), "a".repeat(31), "a".repeat(33), " a"];
  for (const text of [...bad, "a".repeat(32) + "\n"]) {
    assert.throws(() => parseNodeId(text), { code: "IDENTITY_ID_INVALID" }, JSON.stringify(text));
  }
});

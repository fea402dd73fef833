import assert from "node:assert/strict";
import { createHash, createHmac } from "node:crypto";
import { generateJoinToken, joinTokenId, joinTokenKey, parseJoinToken } from "./join_token.ts";

Deno.test("a generated token is 256 random bits in hex", () => {
  const tokens = new Set(Array.from({ length: 100 }, generateJoinToken));
  assert.equal(tokens.size, 100);
  for (const token of tokens) assert.match(token, /^[0-9a-f]{64}$/);
});

Deno.test("a token that could be guessed offline is refused", () => {
  assert.throws(() => parseJoinToken("123456789012345"), { code: "JOIN_TOKEN_WEAK" });
  assert.throws(() => parseJoinToken("x".repeat(257)), { code: "JOIN_TOKEN_WEAK" });
  assert.throws(() => parseJoinToken("   short    ".repeat(1)), { code: "JOIN_TOKEN_WEAK" });
  assert.equal(parseJoinToken(" 1234567890123456\n"), "1234567890123456");
});

Deno.test("id and key come from the token as written down: SHA-256 and HKDF (RFC 5869)", () => {
  const token = "correct horse battery staple";
  const id = createHash("sha256").update("pulse token id v1").update(token).digest("hex");
  assert.equal(joinTokenId(token), id.slice(0, 16));
  const extracted = createHmac("sha256", new Uint8Array(32)).update(token).digest();
  const expanded = createHmac("sha256", extracted).update("pulse join v1\x01").digest();
  assert.equal(joinTokenKey(token).toHex(), expanded.toString("hex"));
});

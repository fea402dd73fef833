import assert from "node:assert/strict";
import { join } from "node:path";
import { isLocalToken, loadOrCreateLocalToken } from "./local_token.ts";

Deno.test("the local token is made once, readable by its owner only", async () => {
  const dir = await Deno.makeTempDir();
  try {
    const path = join(dir, "local-token");
    const tokens = await Promise.all([1, 2, 3].map(() => loadOrCreateLocalToken(path)));
    assert.equal(new Set(tokens).size, 1);
    assert.match(tokens[0] ?? "", /^[0-9a-f]{64}$/);
    assert.equal(((await Deno.stat(path)).mode ?? 0) & 0o777, 0o600);
    await Deno.chmod(path, 0o644);
    await assert.rejects(loadOrCreateLocalToken(path), {
      code: "LOCAL_TOKEN",
      message: /chmod 600/,
    });
    await Deno.chmod(path, 0o600);
    await Deno.writeTextFile(path, "short");
    await assert.rejects(loadOrCreateLocalToken(path), { code: "LOCAL_TOKEN", message: /damaged/ });
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
});

Deno.test("only the token itself is the token", () => {
  const token = "ab".repeat(32);
  assert.equal(isLocalToken(token, token), true);
  for (const guess of [undefined, "", token.slice(1), `${token}0`, "cd".repeat(32)]) {
    assert.equal(isLocalToken(guess, token), false);
  }
});

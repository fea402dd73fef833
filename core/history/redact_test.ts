import assert from "node:assert/strict";
import { redact } from "./redact.ts";

Deno.test("secrets are not shown, wherever they stand; ids and public keys are", () => {
  assert.deepEqual(
    redact({
      token: "a",
      join_token: "b",
      apiKey: "c",
      keys: ["d"],
      nested: [{ clientSecret: "e", password: { deep: "f" } }],
      inviteCode: "g",
      code: "h",
      tokenId: "1122",
      publicKey: "aa",
      monkey: 3,
      maxUses: 2,
      text: "see pls_abcdefghijk now",
      none: null,
      left: undefined,
    }),
    {
      token: "[redacted]",
      join_token: "[redacted]",
      apiKey: "[redacted]",
      keys: "[redacted]",
      nested: [{ clientSecret: "[redacted]", password: "[redacted]" }],
      inviteCode: "[redacted]",
      code: "[redacted]",
      tokenId: "1122",
      publicKey: "aa",
      monkey: 3,
      maxUses: 2,
      text: "see [redacted] now",
      none: null,
    },
  );
});

Deno.test("the code of an error is no secret", () => {
  assert.deepEqual(redact({ code: "CONFIG_FORKED" }), { code: "CONFIG_FORKED" });
  assert.deepEqual(redact({ inviteCode: "CONFIG_FORKED" }), { inviteCode: "[redacted]" });
});

Deno.test("long texts and lists are cut, deep values left out, and a key __proto__ stays a key", () => {
  const cut = redact({ text: "x".repeat(5_000), list: Array.from({ length: 100 }, () => 1) });
  const { text, list } = cut as { text: string; list: unknown[] };
  assert.equal(text.length, 1_029);
  assert.deepEqual([list.length, list.at(-1)], [65, "[36 more]"]);
  assert.deepEqual(redact([[[[[[[1]]]]]]]), [[[[[["[deeper]"]]]]]]);
  const odd = redact(JSON.parse(`{"__proto__":{"a":1}}`));
  assert.equal(JSON.stringify(odd), `{"__proto__":{"a":1}}`);
});

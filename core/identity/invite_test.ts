import assert from "node:assert/strict";
import fc from "fast-check";
import { IdentityError } from "./errors.ts";
import { decodeInvite, encodeInvite } from "./invite.ts";
import { generateJoinToken } from "./join_token.ts";

const invite = {
  network: "corp",
  relays: ["relay.example.com:443", "[2001:db8::1]:7000", "192.0.2.1:7000"],
  token: generateJoinToken(),
  caFingerprint: "ab".repeat(32),
};

function code(content: unknown): string {
  const bytes = new TextEncoder().encode(JSON.stringify(content));
  return "pls_" + bytes.toBase64({ alphabet: "base64url", omitPadding: true });
}

Deno.test("an invite survives its code, also with space around it", () => {
  const text = encodeInvite(invite);
  assert.match(text, /^pls_[A-Za-z0-9_-]+$/);
  assert.deepEqual(decodeInvite(`  ${text}\n`), invite);
});

Deno.test("codes as the Go program wrote them are read", () => {
  const old = { n: "corp", r: "relay.example.com:443", t: invite.token };
  assert.deepEqual(decodeInvite(code(old)), {
    network: "corp",
    relays: ["relay.example.com:443"],
    token: invite.token,
  });
  assert.equal(decodeInvite(code({ ...old, n: undefined })).network, "pulse");
});

Deno.test("whatever is wrong with a code, the message begins with the same words", () => {
  const good = { n: "corp", r: ["a:1"], t: invite.token, f: invite.caFingerprint };
  decodeInvite(code(good));
  const contents = [
    null,
    [],
    "x",
    {},
    { ...good, n: "A B" },
    { ...good, n: 1 },
    { ...good, t: "short" },
    { ...good, t: undefined },
    { ...good, r: [] },
    { ...good, r: undefined },
    { ...good, r: ["a"] },
    { ...good, r: ["a:0"] },
    { ...good, r: ["a:65536"] },
    { ...good, r: ["a b:1"] },
    { ...good, r: ["http://a:1"] },
    { ...good, r: Array(9).fill("a:1") },
    { ...good, r: ["a".repeat(300) + ":1"] },
    { ...good, f: "ab" },
    { ...good, f: 1 },
  ];
  const text = encodeInvite(invite);
  const codes = ["", "pls_", "pls_!!", text.slice(4), text.slice(0, -5), text + "A".repeat(5000)];
  for (const bad of [...codes, ...contents.map(code)]) {
    assert.throws(() => decodeInvite(bad), {
      name: "IdentityError",
      code: "JOIN_CODE_INVALID",
      message: /^invalid join code: /,
    }, bad.slice(0, 100));
  }
});

Deno.test("random text is never an invite and never crashes", () => {
  fc.assert(fc.property(fc.string(), fc.json(), (text, json) => {
    for (const bad of [text, `pls_${text}`, code(JSON.parse(json))]) {
      assert.throws(() => decodeInvite(bad), IdentityError);
    }
  }));
});

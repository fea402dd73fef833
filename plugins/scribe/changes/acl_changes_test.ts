import assert from "node:assert/strict";
import type { AclAssertion } from "../../../core/policy/types.ts";
import { addAclAssertion } from "./add_acl_assertion.ts";
import { addAclRule } from "./add_acl_rule.ts";
import { moveAclRule } from "./move_acl_rule.ts";
import { removeAclAssertion } from "./remove_acl_assertion.ts";
import { removeAclRule } from "./remove_acl_rule.ts";
import { replaceAclRule } from "./replace_acl_rule.ts";
import { after, context, rule, start } from "./testing.ts";

const [a, b, c] = ["a", "b", "c"].map((from) => rule(from, "*")) as [
  ReturnType<typeof rule>,
  ReturnType<typeof rule>,
  ReturnType<typeof rule>,
];
const abc = { ...start, acls: [a, b, c] };
const notPlaces = [-1, 3, 4, 0.5, NaN, Infinity];

Deno.test("a rule goes behind the last one or where it is told", () => {
  let body = after(start, addAclRule, { rule: a });
  body = after(body, addAclRule, { rule: c });
  body = after(body, addAclRule, { rule: b, at: 1 });
  assert.deepEqual(body, abc);
  assert.deepEqual(after(body, addAclRule, { rule: a, at: 3 }).acls, [a, b, c, a]);
});

Deno.test("a number that no rule has is an error and stands for none", () => {
  for (const index of notPlaces) {
    const invalid = { code: "ACL_INDEX_INVALID" };
    assert.throws(() => removeAclRule(abc, { index }, context), invalid);
    assert.throws(() => moveAclRule(abc, { from: index, to: 0 }, context), invalid);
    assert.throws(() => moveAclRule(abc, { from: 0, to: index }, context), invalid);
    assert.throws(() => replaceAclRule(abc, { index, rule: a }, context), invalid);
    if (index === 3) continue;
    assert.throws(() => addAclRule(abc, { rule: a, at: index }, context), invalid);
  }
  assert.throws(() => removeAclRule(start, { index: 0 }, context), {
    code: "ACL_INDEX_INVALID",
    message: /there is no rule/,
  });
});

Deno.test("a rule is removed and replaced by its number", () => {
  assert.deepEqual(after(abc, removeAclRule, { index: 1 }).acls, [a, c]);
  assert.deepEqual(after(abc, replaceAclRule, { index: 2, rule: a }).acls, [a, b, a]);
});

Deno.test("a moved rule has the number it was given, and the others keep their order", () => {
  assert.deepEqual(after(abc, moveAclRule, { from: 0, to: 2 }).acls, [b, c, a]);
  assert.deepEqual(after(abc, moveAclRule, { from: 2, to: 0 }).acls, [c, a, b]);
  assert.equal(after(abc, moveAclRule, { from: 1, to: 1 }), abc);
});

Deno.test("an assertion is kept once, replaced by its opposite, and removed by its number", () => {
  const wish: AclAssertion = { from: "a", to: "b", port: 22, protocol: "tcp", expect: "allow" };
  const body = after(start, addAclAssertion, wish);
  assert.equal(after(body, addAclAssertion, { ...wish }), body);
  const opposite: AclAssertion = { ...wish, expect: "deny" };
  assert.deepEqual(after(body, addAclAssertion, opposite).aclAssertions, [opposite]);
  const two = after(body, addAclAssertion, { ...wish, port: 23 });
  assert.deepEqual(after(two, removeAclAssertion, { index: 0 }).aclAssertions, [
    { ...wish, port: 23 },
  ]);
  assert.throws(() => removeAclAssertion(two, { index: 2 }, context), {
    code: "ACL_INDEX_INVALID",
  });
});

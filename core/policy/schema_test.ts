import assert from "node:assert/strict";
import { aclAssertionSchema, aclRuleSchema } from "./schema.ts";
import type { AclAssertion, AclRule } from "./types.ts";

const rule: AclRule = {
  action: "allow",
  from: "tag:dev",
  to: "10.0.0.0/8",
  ports: [{ from: 22, to: 22 }],
  protocols: ["tcp"],
  comment: "für alle",
};

const accepts = (change: { readonly [key: string]: unknown }) =>
  aclRuleSchema.safeParse({ ...rule, ...change }).success;

Deno.test("a rule is taken as it is", () => {
  assert.deepEqual(aclRuleSchema.parse(rule), rule);
  for (const from of ["", "*", "web-1", "ab*", "[0-7]*", "tag:a/b"]) {
    assert.ok(accepts({ from }), from);
  }
  for (const to of ["fd00::/8", "192.0.2.1", "tag:prod"]) assert.ok(accepts({ to }), to);
});

Deno.test("a rule with a pattern that could never match is refused: a deny rule would be open", () => {
  for (const from of ["tag:", "[a", "10.0.0.0/8", "a b", "a\nb", "ä", "x".repeat(129)]) {
    assert.ok(!accepts({ from }), from);
  }
  for (const to of ["10.0.0.0/33", "a/b", "["]) assert.ok(!accepts({ to }), to);
});

Deno.test("a rule beyond its bounds is refused", () => {
  const many = new Array(65).fill({ from: 1, to: 2 });
  for (
    const change of [
      { ports: many },
      { ports: [{ from: 0, to: 1 }] },
      { ports: [{ from: 2, to: 1 }] },
      { ports: [{ from: 1, to: 65_536 }] },
      { protocols: ["sctp"] },
      { comment: "x".repeat(201) },
      { comment: "a\u001b[31m" },
      { comment: "a\u202eb" },
      { action: "drop" },
      { more: 1 },
    ]
  ) assert.ok(!accepts(change), JSON.stringify(change).slice(0, 60));
});

Deno.test("an assertion names nodes, not patterns", () => {
  const assertion: AclAssertion = {
    from: "tag:dev",
    to: "db",
    port: 22,
    protocol: "tcp",
    expect: "deny",
  };
  assert.deepEqual(aclAssertionSchema.parse(assertion), assertion);
  assert.ok(aclAssertionSchema.safeParse({ ...assertion, to: "tag:site/berlin" }).success);
  for (
    const change of [{ from: "*" }, { from: "a/b" }, { to: "" }, { from: "tag:" }, { port: -1 }, {
      port: 1.5,
    }]
  ) {
    assert.ok(!aclAssertionSchema.safeParse({ ...assertion, ...change }).success);
  }
});

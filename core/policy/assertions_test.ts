import assert from "node:assert/strict";
import fc from "fast-check";
import { checkAssertions } from "./assertions.ts";
import { compilePolicy } from "./compiled_policy.ts";
import { anyNodes, anyRule, naiveVerdict, rule, testId, testNode } from "./testing.ts";
import type { AclAssertion } from "./types.ts";

const nodes = [
  testNode("d1", "laptop", ["dev"]),
  testNode("d2", "desk", ["dev", "old"]),
  testNode("e1", "db", ["prod"]),
];
const rules = [rule("deny", "tag:old", "*"), rule("allow", "tag:dev", "tag:prod", { ports: "22" })];
const check = (...assertions: AclAssertion[]) =>
  checkAssertions(compilePolicy(rules, nodes), assertions);

Deno.test("names, ids and tags are asked about, for a tag every node that has it", () => {
  const holds: AclAssertion[] = [
    { from: "laptop", to: "db", port: 22, protocol: "tcp", expect: "allow" },
    { from: testId("d2"), to: testId("e1"), port: 22, protocol: "tcp", expect: "deny" },
    { from: "tag:dev", to: "tag:prod", port: 23, protocol: "tcp", expect: "deny" },
    { from: "tag:nobody", to: "db", port: 22, protocol: "tcp", expect: "allow" },
  ];
  assert.deepEqual(check(...holds), []);
  const assertion = { ...holds[0]!, from: "tag:dev" };
  assert.deepEqual(check(holds[0]!, assertion), [{
    assertion,
    index: 1,
    flow: { from: testId("d2"), to: testId("e1") },
    missing: null,
    verdict: { allowed: false, rule: 0, reason: "rule" },
  }]);
});

Deno.test("an assertion about a name nobody has is broken, and says whom it misses", () => {
  const [broken] = check({ from: "laptop", to: "gone", port: 22, protocol: "tcp", expect: "deny" });
  assert.equal(broken?.missing, "gone");
  assert.equal(broken?.verdict, null);
});

Deno.test("an assertion over tags is broken exactly when some pair of nodes is", () => {
  const assertions = fc.record({
    from: fc.constantFrom("tag:dev", "tag:prod"),
    to: fc.constantFrom("tag:dev", "tag:prod"),
    port: fc.nat(7),
    protocol: fc.constantFrom<AclAssertion["protocol"]>("tcp", "udp"),
    expect: fc.constantFrom<AclAssertion["expect"]>("allow", "deny"),
  });
  fc.assert(
    fc.property(fc.array(anyRule, { maxLength: 8 }), anyNodes, assertions, (rules, nodes, a) => {
      const having = (tag: string) => nodes.filter(({ tags }) => tags.includes(tag.slice(4)));
      const pairs = having(a.from).flatMap((from) => having(a.to).map((to) => [from.id, to.id]));
      const broken = pairs.some(([from = "", to = ""]) =>
        naiveVerdict(rules, nodes, { from, to, port: a.port, protocol: a.protocol }).allowed !==
          (a.expect === "allow")
      );
      assert.equal(checkAssertions(compilePolicy(rules, nodes), [a]).length, broken ? 1 : 0);
    }),
  );
});

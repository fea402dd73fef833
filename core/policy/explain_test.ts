import assert from "node:assert/strict";
import fc from "fast-check";
import { compilePolicy } from "./compiled_policy.ts";
import { explainFlow } from "./explain.ts";
import { anyFlow, anyNodes, anyRule, rule, testId, testNode } from "./testing.ts";

const nodes = [testNode("d1", "laptop", ["dev"]), testNode("e1", "db", ["prod"])];
const flow = { from: testId("d1"), to: testId("e1"), protocol: "tcp", port: 22 } as const;

Deno.test("each rule up to the deciding one says which of its parts do not match", () => {
  const rules = [
    rule("allow", "tag:prod", "db"),
    rule("allow", "laptop", "tag:dev"),
    rule("allow", "*", "*", { ports: "80", protocols: ["udp"] }),
    rule("deny", "tag:dev", "tag:prod", { ports: "22" }),
    rule("allow", "*", "*"),
  ];
  const { verdict, rules: explained, omitted } = explainFlow(compilePolicy(rules, nodes), flow);
  assert.deepEqual(verdict, { allowed: false, rule: 3, reason: "rule" });
  assert.equal(omitted, 0);
  assert.deepEqual(
    explained.map(({ index, from, to, port, protocol }) => [index, from, to, port, protocol]),
    [
      [0, false, true, true, true],
      [1, true, false, true, true],
      [2, true, true, false, false],
      [3, true, true, true, true],
    ],
  );
  assert.equal(explained[3]?.rule, rules[3]);
});

Deno.test("no more than 256 rules are listed, the deciding one among them", () => {
  const rules = Array.from({ length: 1_000 }, () => rule("allow", "nobody", "*"));
  rules.push(rule("deny", "*", "*"));
  const explained = explainFlow(compilePolicy(rules, nodes), flow);
  assert.equal(explained.rules.length, 256);
  assert.equal(explained.rules.at(-1)?.index, 1_000);
  assert.equal(explained.omitted, 745);
});

Deno.test("the rule that matches in all parts is the one that decides, and no other before it is", () => {
  fc.assert(
    fc.property(fc.array(anyRule, { maxLength: 12 }), anyNodes, anyFlow, (rules, nodes, flow) => {
      const { verdict, rules: explained } = explainFlow(compilePolicy(rules, nodes), flow);
      const whole = explained.filter((r) => r.from && r.to && r.port && r.protocol);
      assert.deepEqual(
        whole.map(({ index }) => index),
        verdict.rule === null ? [] : [verdict.rule],
      );
    }),
  );
});

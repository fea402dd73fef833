import assert from "node:assert/strict";
import fc from "fast-check";
import { diffPolicies, type PolicyDifference } from "./diff.ts";
import { formatPorts } from "./ports.ts";
import { anyNodes, anyRule, naiveVerdict, rule, testNode } from "./testing.ts";
import type { AclRule } from "./types.ts";

const nodes = [
  testNode("d1", "laptop", ["dev"]),
  testNode("e1", "db", ["prod"]),
];
const texts = (before: readonly AclRule[], after: readonly AclRule[]) =>
  diffPolicies(before, after, nodes).differences.map(text);
function text({ change, from, to, protocol, ports }: PolicyDifference): string {
  return `${change} ${from.slice(0, 2)} -> ${to.slice(0, 11)} ${protocol} ${formatPorts([ports])}`;
}

Deno.test("what a new rule takes away is told by pair, protocol and ports", () => {
  const all = rule("allow", "*", "*");
  const deny = rule("deny", "tag:dev", "tag:prod", { ports: "22,80-90", protocols: ["tcp"] });
  assert.deepEqual(texts([all], [deny, all]), [
    "denied d1 -> e1000000000 tcp 22",
    "denied d1 -> e1000000000 tcp 80-90",
  ]);
  assert.deepEqual(texts([deny, all], [all]), [
    "allowed d1 -> e1000000000 tcp 22",
    "allowed d1 -> e1000000000 tcp 80-90",
  ]);
  const { differences: [first] } = diffPolicies([all], [deny, all], nodes);
  assert.deepEqual([first?.ruleBefore, first?.ruleAfter], [0, 0]);
});

Deno.test("the first rule closes what it does not open", () => {
  assert.deepEqual(texts([], [rule("allow", "laptop", "*"), rule("allow", "*", "laptop")]), [
    "denied e1 -> e1000000000 tcp *",
    "denied e1 -> e1000000000 udp *",
    "denied e1 -> e1000000000 icmp 0",
  ]);
});

Deno.test("an order or a comment that changes nothing is no difference", () => {
  const [a, b] = [
    rule("deny", "*", "db", { ports: "1-10" }),
    rule("deny", "*", "db", { ports: "5-20" }),
  ];
  assert.deepEqual(texts([a, b], [b, a]), []);
  assert.deepEqual(texts([a], [{ ...a, comment: "new" }]), []);
  assert.deepEqual(texts([], []), []);
});

Deno.test("ranges behind exit nodes are destinations too, each without the smaller ones in it", () => {
  const before = [rule("allow", "*", "10.0.0.0/8"), rule("allow", "*", "db")];
  const after = [rule("deny", "*", "10.0.0.0/16"), ...before];
  const tcp = (lines: string[]) => lines.filter((line) => line.includes("tcp"));
  assert.deepEqual(tcp(texts(before, after)), [
    "denied d1 -> 10.0.0.0/16 tcp *",
    "denied e1 -> 10.0.0.0/16 tcp *",
  ]);
  const halves = [rule("allow", "*", "10.0.0.0/9"), rule("allow", "*", "10.128.0.0/9")];
  assert.deepEqual(tcp(texts(before, [...before, ...halves])), []);
});

Deno.test("a difference is cut where it gets too long, and says so", () => {
  const many = Array.from({ length: 40 }, (_, n) => testNode(n.toString(16).padStart(2, "0")));
  const cut = diffPolicies([], [rule("deny", "*", "*")], many);
  assert.equal(cut.differences.length, 1_000);
  assert.equal(cut.truncated, true);
  const rules = [rule("deny", "*", "*", { ports: "1" })];
  const tired = diffPolicies(rules, [rule("deny", "*", "*")], many, { work: 500 });
  assert.deepEqual(tired, { differences: [], truncated: true });
});

Deno.test("the difference agrees with asking about every port of every pair", () => {
  const manyRules = fc.array(anyRule, { maxLength: 70 });
  const someRules = fc.array(anyRule, { maxLength: 6 });
  fc.assert(
    fc.property(manyRules, someRules, someRules, anyNodes, (start, middle, end, nodes) => {
      const [before, after] = [[...start, ...end], [...start, ...middle, ...end]];
      const { differences, truncated } = diffPolicies(before, after, nodes);
      assert.equal(truncated, false);
      for (const from of nodes) {
        for (const to of nodes) {
          for (const protocol of ["tcp", "udp", "icmp"] as const) {
            for (const port of protocol === "icmp" ? [0] : [0, 1, 2, 3, 4, 5, 6, 7, 65_535]) {
              const flow = { from: from.id, to: to.id, protocol, port };
              const [was, is] = [before, after].map((rules) => naiveVerdict(rules, nodes, flow));
              const told = differences.filter((d) =>
                d.from === from.id && d.to === to.id && d.protocol === protocol &&
                d.ports.from <= port && port <= d.ports.to
              ).map(({ change, ruleBefore, ruleAfter }) => [change, ruleBefore, ruleAfter]);
              const expected = was!.allowed === is!.allowed
                ? []
                : [[is!.allowed ? "allowed" : "denied", was!.rule, is!.rule]];
              assert.deepEqual(told, expected, JSON.stringify(flow));
            }
          }
        }
      }
    }),
    { numRuns: 200 },
  );
});

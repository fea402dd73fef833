import assert from "node:assert/strict";
import fc from "fast-check";
import { parseCidr } from "../address/cidr.ts";
import { compilePolicy } from "./compiled_policy.ts";
import { anyFlow, anyNodes, anyRule, naiveVerdict, rule, testId, testNode } from "./testing.ts";
import type { AclRule, FlowProtocol, Verdict } from "./types.ts";

const nodes = [
  testNode("d1", "laptop", ["dev"], ["10.100.0.1"]),
  testNode("d2", "desk", ["dev"]),
  testNode("e1", "db", ["prod"], ["10.100.0.9", "fd99::9"]),
  testNode("e2", "gateway", ["exit"]),
];
const ask = (
  rules: readonly AclRule[],
  from: string,
  to: string,
  port: number,
  more: { readonly protocol?: FlowProtocol; readonly address?: string } = {},
) =>
  compilePolicy(rules, nodes)
    .evaluate({ from: testId(from), to: testId(to), port, protocol: "tcp", ...more });
const decidedBy = (rule: number, allowed: boolean): Verdict => ({ allowed, rule, reason: "rule" });

Deno.test("no rules are an open network", () => {
  assert.deepEqual(ask([], "d1", "e1", 22), { allowed: true, rule: null, reason: "open" });
});

Deno.test("the first rule that matches decides, and what none matches is denied", () => {
  const rules = [
    rule("allow", "tag:dev", "db", { ports: "22" }),
    rule("deny", "tag:dev", "tag:prod"),
    rule("allow", "*", "", { ports: "1-1023", protocols: ["tcp", "udp"] }),
  ];
  assert.deepEqual(ask(rules, "d1", "e1", 22), decidedBy(0, true));
  assert.deepEqual(ask(rules, "d1", "e1", 23), decidedBy(1, false));
  assert.deepEqual(ask(rules, "d1", "e2", 23), decidedBy(2, true));
  assert.deepEqual(ask(rules, "d1", "e2", 23, { protocol: "udp" }), decidedBy(2, true));
  const nobody = { allowed: false, rule: null, reason: "unmatched" };
  assert.deepEqual(ask(rules, "d1", "e2", 8080), nobody);
  assert.deepEqual(ask(rules, "d1", "e2", 0, { protocol: "icmp" }), nobody);
});

Deno.test("a node is meant by name, id, glob over ids, or tag; a stranger has neither name nor tags", () => {
  for (const pattern of ["laptop", testId("d1"), "d1*", "[cd]?00*", "tag:dev", "*", ""]) {
    assert.equal(ask([rule("allow", pattern, "*")], "d1", "e1", 1).allowed, true, pattern);
  }
  for (const pattern of ["lap*", "d1", "tag:prod", "tag:", "[d1", "LAPTOP", "10.0.0.0/8"]) {
    assert.equal(ask([rule("allow", pattern, "*")], "d1", "e1", 1).allowed, false, pattern);
  }
  assert.equal(ask([rule("allow", "ff*", "*")], "ff", "e1", 1).allowed, true);
  assert.equal(ask([rule("allow", "tag:dev", "*")], "ff", "e1", 1).allowed, false);
});

Deno.test("an address behind a node is opened by a range or by everything, and closed with the node", () => {
  const address = "10.0.0.5";
  const to = (...rules: AclRule[]) => ask(rules, "d1", "e2", 80, { address }).rule;
  assert.equal(to(rule("allow", "*", "gateway")), null);
  assert.equal(to(rule("allow", "*", "*")), 0);
  assert.equal(to(rule("allow", "*", "10.0.0.0/8")), 0);
  assert.equal(to(rule("allow", "*", "10.1.0.0/16")), null);
  assert.equal(to(rule("deny", "*", "tag:exit"), rule("allow", "*", "10.0.0.0/8")), 0);
  assert.equal(to(rule("deny", "*", "db"), rule("allow", "*", "10.0.0.0/8")), 1);
  const rules = [rule("deny", "*", "10.0.0.0/8"), rule("allow", "*", "*")];
  for (const disguised of ["::ffff:10.0.0.5", "::ffff:a00:5", "64:ff9b::10.0.0.5"]) {
    assert.equal(ask(rules, "d1", "e2", 80, { address: disguised }).allowed, false, disguised);
  }
  assert.equal(ask(rules, "d1", "e2", 80).allowed, true);
});

Deno.test("a mesh address behind a node is its owner, so that no gateway is a way round", () => {
  const rules = [rule("deny", "tag:dev", "tag:prod"), rule("allow", "*", "*")];
  for (const address of ["10.100.0.9", "fd99::9", "fd99:0:0::9", "::ffff:10.100.0.9"]) {
    assert.deepEqual(ask(rules, "d1", "e2", 80, { address }), decidedBy(0, false), address);
  }
  assert.deepEqual(ask(rules, "d1", "e2", 80, { address: "10.100.0.1" }), decidedBy(1, true));
});

Deno.test("the compiled policy agrees with a naive one, cold and warm", () => {
  fc.assert(
    fc.property(
      fc.array(anyRule, { maxLength: 40 }),
      anyNodes,
      fc.array(anyFlow, { minLength: 1, maxLength: 30 }),
      (rules, nodes, flows) => {
        const policy = compilePolicy(rules, nodes);
        for (const flow of [...flows, ...flows]) {
          assert.deepEqual(policy.evaluate(flow), naiveVerdict(rules, nodes, flow));
        }
      },
    ),
    { numRuns: 400 },
  );
});

Deno.test("what a relay denies unseen is denied for the node and for every address behind it", () => {
  fc.assert(
    fc.property(fc.array(anyRule, { maxLength: 12 }), anyNodes, anyFlow, (rules, nodes, flow) => {
      const policy = compilePolicy(rules, nodes);
      const unseen = policy.evaluateUnseen(flow);
      const owned = flow.address !== undefined && policy.owner(flow.address) !== undefined;
      if (!unseen.allowed && !owned) assert.equal(policy.evaluate(flow).allowed, false);
      const plain = rules.every(({ to, action }) => action === "deny" || parseCidr(to) === null);
      const { address: _, ...itself } = flow;
      if (plain) assert.deepEqual(unseen, policy.evaluate(itself));
    }),
    { numRuns: 400 },
  );
});

Deno.test("more nodes and addresses than are remembered change no verdict", () => {
  const rules = [
    rule("deny", "0*", "1*"),
    rule("allow", "*", "10.0.0.0/16", { ports: "80" }),
    rule("allow", "*2", "*"),
  ];
  const policy = compilePolicy(rules, []);
  const seen = new Set<number | null>();
  for (let n = 0; n < 20_000; n++) {
    // Again and again the same 9,000 pairs and 5,000 addresses, and never twice the same of both.
    const from = (n % 9_000).toString(16).padStart(4, "0").split("").reverse().join("").repeat(8);
    const to = (n % 9_000 * 7 % 65_536).toString(16).padStart(32, "1");
    const [high, low] = [n % 5_000 >> 8, n & 255];
    const address = n % 3 === 0 ? { address: `10.${high & 1}.${high}.${low}` } : {};
    const flow = { from, to, protocol: "tcp", port: 80 + n % 2, ...address } as const;
    const verdict = policy.evaluate(flow);
    assert.deepEqual(verdict, naiveVerdict(rules, [], flow), JSON.stringify(flow));
    seen.add(verdict.rule);
  }
  assert.deepEqual(seen, new Set([0, 1, 2, null]));
});

import assert from "node:assert/strict";
import fc from "fast-check";
import { compilePolicy } from "./compiled_policy.ts";
import { admitsSomeFlow, type FlowRules, flowRules } from "./flow_rules.ts";
import { flowProtocols } from "./protocols.ts";
import { anyFlow, anyNode, anyRule, rule, testId, testNode } from "./testing.ts";
import type { PolicyFlow } from "./types.ts";

const [a, b] = [testNode("a1", "web", ["dev"]), testNode("b1", "db", ["prod"])];
const between = (...rules: ReturnType<typeof rule>[]) =>
  flowRules(compilePolicy(rules, [a, b]), a.id, b.id);

/** First match, by the rows alone. */
function judge({ rules, otherwise }: FlowRules, { protocol, port }: PolicyFlow): boolean {
  const bit = 1 << flowProtocols.indexOf(protocol);
  const found = rules.find(({ protocols, ports, to }) =>
    typeof to === "string" && (protocols & bit) !== 0 &&
    (ports.length === 0 ||
      ports.some((low, i) => i % 2 === 0 && low <= port && port <= ports[i + 1]!))
  );
  return found?.allow ?? otherwise;
}

Deno.test("only rules that can be about the two nodes are left, in their order", () => {
  const found = between(
    rule("allow", "tag:dev", "db", { ports: "22,80-90", protocols: ["tcp"] }),
    rule("deny", "backup", "*"),
    rule("deny", "*", "tag:prod", { protocols: ["udp", "icmp"] }),
    rule("allow", "web", "192.168.0.0/16"),
    rule("allow", "*", "*"),
  );
  assert.deepEqual(found, {
    rules: [
      { allow: true, protocols: 1, ports: [22, 22, 80, 90], to: "node" },
      { allow: false, protocols: 6, ports: [], to: "all" },
      { allow: true, protocols: 7, ports: [], to: { cidr: "192.168.0.0/16" } },
      { allow: true, protocols: 7, ports: [], to: "all" },
    ],
    otherwise: false,
  });
});

Deno.test("without rules all is open, with rules that are not about the nodes nothing is", () => {
  assert.deepEqual(between(), { rules: [], otherwise: true });
  assert.deepEqual(between(rule("allow", "backup", "*")), { rules: [], otherwise: false });
});

Deno.test("the rows judge every flow to the node as the policy does", () => {
  fc.assert(
    fc.property(
      fc.array(anyRule, { maxLength: 8 }),
      fc.uniqueArray(anyNode, { selector: ({ id }) => id, maxLength: 5 }),
      anyFlow,
      (rules, nodes, { address: _, ...flow }) => {
        const policy = compilePolicy(rules, nodes);
        const rows = flowRules(policy, flow.from, flow.to);
        assert.equal(judge(rows, flow), policy.evaluate(flow).allowed);
        if (policy.evaluate(flow).allowed) assert.ok(admitsSomeFlow(rows));
      },
    ),
  );
});

Deno.test("some flow is admitted unless denials close every protocol before anything is allowed", () => {
  assert.ok(admitsSomeFlow(between()));
  assert.ok(
    admitsSomeFlow(between(rule("deny", "*", "*", { ports: "1" }), rule("allow", "*", "*"))),
  );
  assert.ok(!admitsSomeFlow(between(rule("deny", "*", "*"), rule("allow", "*", "*"))));
  assert.ok(!admitsSomeFlow(between(rule("allow", "*", "10.0.0.0/8"))));
  assert.equal(
    flowRules(compilePolicy([rule("allow", "web", "*")], [a]), a.id, testId("ff")).rules.length,
    1,
  );
});

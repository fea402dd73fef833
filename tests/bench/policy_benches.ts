import {
  type AclRule,
  type CompiledPolicy,
  compilePolicy,
  type PolicyFlow,
  type PolicyNode,
} from "../../core/policy/mod.ts";
import { seededRandom } from "../../core/router/testing.ts";
import type { BenchGroup, RunningBench } from "./bench.ts";

const ruleCount = 10_000;
const nodeCount = 1_000;
const random = seededRandom(7);
const pick = <T>(items: readonly T[]): T => items[Math.floor(random() * items.length)]!;
const digits = (count: number) =>
  Array.from({ length: count }, () => Math.floor(random() * 16).toString(16)).join("");

const tags = Array.from({ length: 50 }, (_, n) => `team-${n}`);
const nodes: readonly PolicyNode[] = Array.from({ length: nodeCount }, (_, n) => ({
  id: digits(32),
  name: `host-${n}`,
  tags: Array.from({ length: 3 }, () => pick(tags)),
}));

/** Of every kind, most of them about few nodes, none about everything before the last. */
function somePattern(): string {
  const kinds = [
    () => `tag:${pick(tags)}`,
    () => pick(nodes).name ?? "",
    () => pick(nodes).id,
    () => `${digits(3)}*`,
    () => `*${digits(2)}`,
  ];
  return pick(kinds)();
}

const rules: readonly AclRule[] = Array.from({ length: ruleCount }, (_, n): AclRule => {
  const last = n === ruleCount - 1;
  const port = 1 + Math.floor(random() * 60_000);
  return {
    action: last || n % 2 === 0 ? "allow" : "deny",
    from: last ? "*" : somePattern(),
    to: last ? "*" : n % 10 === 0 ? `10.${n >> 8}.${n & 255}.0/24` : somePattern(),
    ports: last ? [] : [{ from: port, to: port + 100 }, { from: 443, to: 443 }],
    protocols: n % 3 === 0 ? ["tcp"] : [],
    comment: "",
  };
});

/** One flow for each pair of neighbours in the list: no node occurs twice. */
const pairs: readonly PolicyFlow[] = Array.from({ length: nodeCount / 2 }, (_, n) => ({
  from: nodes[2 * n]!.id,
  to: nodes[2 * n + 1]!.id,
  protocol: "tcp",
  port: 1 + n * 100,
}));

function microseconds(
  policy: CompiledPolicy,
  flows: readonly PolicyFlow[],
  rounds: number,
): number {
  const began = performance.now();
  for (let round = 0; round < rounds; round++) {
    for (const flow of flows) policy.evaluate(flow);
  }
  return (performance.now() - began) * 1_000 / (flows.length * rounds);
}

function running(round: () => number): RunningBench {
  return {
    round: () => Promise.resolve(round()),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}

/** What a verdict costs with 10,000 rules and 1,000 nodes. */
export const policyBenches: readonly BenchGroup[] = [
  {
    title: "Policy: 10,000 rules, 1,000 nodes",
    rounds: 5,
    benches: [
      {
        name: "policy-warm",
        title: "a flow seen before",
        unit: "us",
        target: 1,
        start: () => {
          const policy = compilePolicy(rules, nodes);
          return Promise.resolve(running(() => microseconds(policy, pairs, 400)));
        },
      },
      {
        name: "policy-cold",
        title: "a flow between two nodes never seen before",
        unit: "us",
        target: 50,
        start: () =>
          Promise.resolve(running(() => microseconds(compilePolicy(rules, nodes), pairs, 1))),
      },
      {
        name: "policy-compile",
        title: "new rules made ready",
        unit: "ms",
        start: () =>
          Promise.resolve(running(() => {
            const began = performance.now();
            compilePolicy(rules, nodes);
            return performance.now() - began;
          })),
      },
    ],
  },
];

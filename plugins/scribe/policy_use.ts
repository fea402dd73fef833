import { z } from "zod";
import type { ConfigBody } from "../../core/netconfig/types.ts";
import {
  type BrokenAssertion,
  checkAssertions,
  type CompiledPolicy,
  compilePolicy,
  diffPolicies,
  type ExplainedRule,
  explainFlow,
  formatPorts,
  formatProtocols,
  formatVerdict,
  parsePorts,
} from "../../core/policy/mod.ts";
import { aclAssertionSchema, aclRuleSchema } from "../../core/policy/schema.ts";
import type { AclAssertion, AclRule, PolicyFlow, PolicyNode } from "../../core/policy/types.ts";
import { entryOf } from "./changes/node_entry.ts";
import { assertionText } from "./changes/rule_text.ts";

/** Everything the scribe asks of `core/policy`. */

/** Nodes as far as the policy looks at them. */
type Nodes = readonly { readonly id: string; readonly meshAddresses: readonly string[] }[];

const ports = z.union([
  z.string().max(500).transform((text, context) => {
    try {
      return parsePorts(text);
    } catch (error) {
      context.addIssue({ code: "custom", message: error instanceof Error ? error.message : "" });
      return z.NEVER;
    }
  }),
  z.array(z.strictObject({ from: z.int(), to: z.int() })).max(64),
]);

/** A rule as callers write it: ports as text or as a list, and nothing they need not say. */
export const ruleRequest: z.ZodType<AclRule> = z.strictObject({
  action: z.enum(["allow", "deny"]).default("allow"),
  from: z.string().max(200),
  to: z.string().max(200),
  ports: ports.default([]),
  protocols: z.array(z.enum(["tcp", "udp", "icmp"])).max(3).default([]),
  comment: z.string().max(200).default(""),
}).transform((rule): unknown => rule).pipe(aclRuleSchema);

export const assertionRequest: z.ZodType<AclAssertion> = z.strictObject({
  from: z.string().max(200),
  to: z.string().max(200),
  port: z.int().min(0).max(65_535),
  protocol: z.enum(["tcp", "udp", "icmp"]).default("tcp"),
  expect: z.enum(["allow", "deny"]),
}).transform((assertion): unknown => assertion).pipe(aclAssertionSchema);

/** A rule with its ports as people write them. */
export function ruleJson(rule: AclRule) {
  const { action, from, to, comment } = rule;
  return {
    action,
    from,
    to,
    ports: formatPorts(rule.ports),
    protocols: formatProtocols(rule.protocols),
    comment,
  };
}

/** Assertions that held before and do not any more, in words; and new ones that do not hold. */
export function brokenAssertions(
  before: ConfigBody,
  after: ConfigBody,
  nodes: Nodes,
): readonly string[] {
  if (after.aclAssertions.length === 0) return [];
  const failing = (body: ConfigBody) => checkAssertions(compile(body, nodes), body.aclAssertions);
  const old = new Set(failing(before).map(({ assertion }) => JSON.stringify(assertion)));
  return failing(after)
    .filter(({ assertion }) => !old.has(JSON.stringify(assertion)))
    .map((broken) => breachText(broken, after));
}

/** What became of every kept assertion. */
export function testAssertions(body: ConfigBody, nodes: Nodes) {
  const failed = new Map(
    checkAssertions(compile(body, nodes), body.aclAssertions).map((
      broken,
    ) => [broken.index, broken]),
  );
  return body.aclAssertions.map((assertion, index) => {
    const broken = failed.get(index);
    return {
      index,
      ...assertion,
      ok: broken === undefined,
      why: broken === undefined ? "" : whyText(broken, body),
    };
  });
}

/** Which rule decides a flow, and why the ones before it did not. */
export function explain(body: ConfigBody, nodes: Nodes, flow: PolicyFlow) {
  const { verdict, rules, omitted } = explainFlow(compile(body, nodes), flow);
  return {
    allowed: verdict.allowed,
    rule: verdict.rule,
    reason: formatVerdict(verdict, body.acls),
    rules: rules.map((one) => ({
      index: one.index,
      ...ruleJson(one.rule),
      matches: misses(one).length === 0,
      misses: misses(one),
    })),
    omitted,
  };
}

/** What other rules would newly allow or deny. */
export function diffRules(before: ConfigBody, after: ConfigBody, nodes: Nodes) {
  const { differences, truncated } = diffPolicies(
    before.acls,
    after.acls,
    policyNodes(after, nodes),
  );
  return {
    differences: differences.map(({ ports, ...difference }) => ({
      ...difference,
      ports: formatPorts([ports]),
    })),
    truncated,
    broken: brokenAssertions(before, after, nodes),
  };
}

function compile(body: ConfigBody, nodes: Nodes): CompiledPolicy {
  return compilePolicy(body.acls, policyNodes(body, nodes));
}

/** Names and tags as this very config gives them, not as the mesh has them by now. */
function policyNodes(body: ConfigBody, nodes: Nodes): readonly PolicyNode[] {
  const certified = new Map(nodes.map(({ id, meshAddresses }) => [id, meshAddresses]));
  const ids = new Set([...certified.keys(), ...Object.keys(body.nodes)]);
  return [...ids].map((id) => {
    const { name, tags, meshIp } = entryOf(body, id);
    const known = certified.get(id) ?? [];
    // An address of the config stands in the place of the certificate's IPv4.
    const addresses = meshIp === null
      ? known
      : [meshIp, ...known.filter((address) => address.includes(":"))];
    return { id, name, tags, addresses };
  });
}

function misses({ from, to, port, protocol }: ExplainedRule): string[] {
  return Object.entries({ from, to, port, protocol })
    .filter(([, fits]) => !fits)
    .map(([part]) => part);
}

function breachText(broken: BrokenAssertion, body: ConfigBody): string {
  return `${assertionText(broken.assertion)} (${whyText(broken, body)})`;
}

function whyText({ flow, missing, verdict }: BrokenAssertion, body: ConfigBody): string {
  if (flow === null || verdict === null) return `nobody is called ${missing}`;
  const pair = `${flow.from.slice(0, 8)} -> ${flow.to.slice(0, 8)}`;
  return `${pair} is ${verdict.allowed ? "allowed" : "denied"}: ${
    formatVerdict(verdict, body.acls)
  }`;
}

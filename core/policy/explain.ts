import type { CompiledPolicy } from "./compiled_policy.ts";
import { hasBit } from "./bit_rows.ts";
import { maxExplained } from "./limits.ts";
import type { AclRule, PolicyFlow, Verdict } from "./types.ts";

/** What one rule makes of a flow. It matches when all four are true. */
export interface ExplainedRule {
  /** Its number in the list, from 0. */
  readonly index: number;
  readonly rule: AclRule;
  readonly from: boolean;
  readonly to: boolean;
  readonly port: boolean;
  readonly protocol: boolean;
}

/** Why a flow is allowed or denied. */
export interface Explanation {
  readonly flow: PolicyFlow;
  readonly verdict: Verdict;
  /** The rules up to the deciding one, which is the last; all of them when none decided. At most 256. */
  readonly rules: readonly ExplainedRule[];
  /** Rules before the last that are left out; 0: the list is whole. */
  readonly omitted: number;
}

/** Says for each rule up to the deciding one which parts of it match the flow. */
export function explainFlow(policy: CompiledPolicy, flow: PolicyFlow): Explanation {
  const { rules, index, table } = policy;
  const verdict = policy.evaluate(flow);
  const owner = flow.address === undefined ? undefined : policy.owner(flow.address);
  const from = index.from(flow.from);
  const node = index.to(owner ?? flow.to);
  const to = flow.address === undefined || owner !== undefined
    ? node
    : index.through(node, index.address(flow.address));
  const explain = (n: number): ExplainedRule => ({
    index: n,
    rule: rules[n]!,
    from: hasBit(from, n),
    to: hasBit(to, n),
    port: table.fitsPort(n, flow.port),
    protocol: table.fitsProtocol(n, flow.protocol),
  });
  const count = verdict.rule === null ? rules.length : verdict.rule + 1;
  const shown = Math.min(count, maxExplained);
  const explained = Array.from({ length: shown }, (_, n) => explain(n));
  // The last one is what the reader wants most.
  if (count > shown) explained[shown - 1] = explain(count - 1);
  return { flow, verdict, rules: explained, omitted: count - shown };
}

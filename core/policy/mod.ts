/**
 * Who may reach whom: rules, verdicts, and what a change of the rules would do. Sans-I/O. What comes from outside is read by the
 * schemas in `schema.ts`.
 * @module
 */
export { type BrokenAssertion, checkAssertions } from "./assertions.ts";
export type { BitRow } from "./bit_rows.ts";
export { CompiledPolicy, compilePolicy } from "./compiled_policy.ts";
export { diffPolicies, type PolicyDiff, type PolicyDifference } from "./diff.ts";
export { PolicyError, type PolicyErrorCode } from "./errors.ts";
export { type ExplainedRule, explainFlow, type Explanation } from "./explain.ts";
export { admitsSomeFlow, type FlowRule, type FlowRules, flowRules } from "./flow_rules.ts";
export { formatRule, formatVerdict } from "./format_rule.ts";
export { formatPorts, parsePorts } from "./ports.ts";
export { formatProtocols, parseProtocols } from "./protocols.ts";
export { RuleIndex } from "./rule_index.ts";
export { RuleTable } from "./rule_table.ts";
export type * from "./types.ts";

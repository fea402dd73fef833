import { formatPorts } from "./ports.ts";
import { formatProtocols } from "./protocols.ts";
import type { AclRule, Verdict } from "./types.ts";

/** Characters of a rule in a message; a stream's answer takes no more. */
const maxRuleText = 240;

/** `deny tag:dev -> tag:prod tcp ports 22`, cut where it is too long for a message. */
export function formatRule(rule: AclRule): string {
  const text = [
    rule.action,
    rule.from || "*",
    "->",
    rule.to || "*",
    ...(rule.protocols.length === 0 ? [] : [formatProtocols(rule.protocols)]),
    ...(rule.ports.length === 0 ? [] : ["ports", formatPorts(rule.ports)]),
  ].join(" ");
  return text.length <= maxRuleText ? text : `${text.slice(0, maxRuleText - 3)}...`;
}

/** What decided: `rule 3: deny tag:dev -> tag:prod ports 22`. Rules count from 0, as everywhere they are listed. */
export function formatVerdict(verdict: Verdict, rules: readonly AclRule[]): string {
  const rule = verdict.rule === null ? undefined : rules[verdict.rule];
  if (rule !== undefined) return `rule ${verdict.rule}: ${formatRule(rule)}`;
  return verdict.reason === "open" ? "there are no rules" : "no rule allows it";
}

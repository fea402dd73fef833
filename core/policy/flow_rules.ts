import type { NodeId } from "../identity/types.ts";
import { hasBit } from "./bit_rows.ts";
import type { CompiledPolicy } from "./compiled_policy.ts";
import { parsePattern } from "./pattern.ts";
import { flowProtocols } from "./protocols.ts";
import type { AclRule } from "./types.ts";

/** One rule, as far as it is about two given nodes. */
export interface FlowRule {
  readonly allow: boolean;
  /** 1 TCP, 2 UDP, 4 ICMP, added up. */
  readonly protocols: number;
  /** From, to, from, to ...; empty for all. */
  readonly ports: readonly number[];
  /** The node itself; the node and all behind it; or a range of addresses behind it. */
  readonly to: "node" | "all" | { readonly cidr: string };
}

/** What the policy says of all flows from one node to another: the first rule that matches decides. */
export interface FlowRules {
  readonly rules: readonly FlowRule[];
  /** What holds where none matches. */
  readonly otherwise: boolean;
}

/**
 * The rules that some flow from one node to another, or to what lies behind it, can match: for a packet filter, which judges
 * more flows than could be asked about one by one.
 */
export function flowRules(policy: CompiledPolicy, from: NodeId, to: NodeId): FlowRules {
  const { rules, index } = policy;
  const [fromRow, toRow] = [index.from(from), index.to(to)];
  const found: FlowRule[] = [];
  rules.forEach((rule, n) => {
    if (!hasBit(fromRow, n)) return;
    const pattern = parsePattern(rule.to, "to");
    if (pattern.kind === "cidr") found.push(flowRule(rule, { cidr: rule.to }));
    else if (hasBit(toRow, n)) {
      const closes = pattern.kind === "any" || rule.action === "deny";
      found.push(flowRule(rule, closes ? "all" : "node"));
    }
  });
  return { rules: found, otherwise: rules.length === 0 };
}

/** Whether any flow at all may be from one node to the other itself. */
export function admitsSomeFlow({ rules, otherwise }: FlowRules): boolean {
  let closed = 0;
  for (const { allow, protocols, ports, to } of rules) {
    if (typeof to !== "string" || (protocols & ~closed) === 0) continue;
    if (allow) return true;
    if (ports.length === 0) closed |= protocols;
  }
  return otherwise;
}

function flowRule(rule: AclRule, to: FlowRule["to"]): FlowRule {
  const named = rule.protocols.length === 0 ? flowProtocols : rule.protocols;
  return {
    allow: rule.action === "allow",
    protocols: named.reduce((bits, protocol) => bits | 1 << flowProtocols.indexOf(protocol), 0),
    ports: rule.ports.flatMap(({ from, to }) => [from, to]),
    to,
  };
}

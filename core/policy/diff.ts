import { ipToText } from "../identity/ip_text.ts";
import type { NodeId } from "../identity/types.ts";
import type { BitRow } from "./bit_rows.ts";
import { addressBehind, type Cidr, cidrKey, contains, parseCidr } from "../address/cidr.ts";
import { type CompiledPolicy, compilePolicy } from "./compiled_policy.ts";
import { maxDiffEntries, maxDiffWork } from "./limits.ts";
import { flowProtocols } from "./protocols.ts";
import type { AclRule, FlowProtocol, PolicyNode, PortRange } from "./types.ts";

/** Flows that a change of the rules newly allows or newly denies. */
export interface PolicyDifference {
  readonly change: "allowed" | "denied";
  readonly from: NodeId;
  /** A node, or a range of addresses behind an exit node that no rule names. */
  readonly to: string;
  readonly protocol: FlowProtocol;
  /** From 0 to 65535: all, with what has no port. */
  readonly ports: PortRange;
  /** Rules that decide before and after; null where none does. */
  readonly ruleBefore: number | null;
  readonly ruleAfter: number | null;
}

export interface PolicyDiff {
  readonly differences: readonly PolicyDifference[];
  /** True when there are more than 1,000, or looking for them took too long. */
  readonly truncated: boolean;
}

/** A destination with its rows in both policies. */
interface Target {
  readonly to: string;
  readonly before: BitRow;
  readonly after: BitRow;
}

/**
 * Which flows a change of the rules newly allows or denies, for every pair of `nodes`, and to every range that a rule names.
 * Ports are compared in the stretches between the boundaries that occur in rules of the pair.
 */
export function diffPolicies(
  before: readonly AclRule[],
  after: readonly AclRule[],
  nodes: Iterable<PolicyNode>,
  limits: { readonly entries?: number; readonly work?: number } = {},
): PolicyDiff {
  const known = [...nodes];
  const policies = [compilePolicy(before, known), compilePolicy(after, known)] as const;
  const changed = changedRules(before, after);
  const budget = { entries: maxDiffEntries, work: maxDiffWork, ...limits };
  const differences: PolicyDifference[] = [];
  const targets = allTargets(policies, known);
  for (const { id: from } of known) {
    const rows = [policies[0].index.from(from), policies[1].index.from(from)] as const;
    // A node that no changed rule is about meets the same rules as before.
    if (!changed.concernFrom(rows)) continue;
    for (const target of targets) {
      budget.work -= changed.words;
      if (!changed.concern(rows, target)) continue;
      for (const protocol of flowProtocols) {
        differences.push(...comparePair(policies, rows, target, protocol, from, budget));
      }
      if (differences.length > budget.entries || budget.work < 0) {
        return { differences: differences.slice(0, budget.entries), truncated: true };
      }
    }
  }
  return { differences, truncated: false };
}

/** What lies between the rules that both lists begin with and those that both end with. */
function changedRules(before: readonly AclRule[], after: readonly AclRule[]) {
  const [a, b] = [before, after].map((rules) =>
    rules.map(({ comment: _, ...rule }) => JSON.stringify(rule))
  ) as [string[], string[]];
  const shorter = Math.min(a.length, b.length);
  let start = 0;
  while (start < shorter && a[start] === b[start]) start++;
  let kept = 0;
  while (kept < shorter - start && a[a.length - 1 - kept] === b[b.length - 1 - kept]) kept++;
  // Without a single rule the network is open: that changes everything for everybody.
  const everything = (a.length === 0) !== (b.length === 0);
  const ends = [a.length - kept, b.length - kept] as const;
  return {
    /** Words of rows that it takes to look at a pair. */
    words: 1 + (Math.max(...ends) - start >>> 4),
    concernFrom: (from: readonly [BitRow, BitRow]): boolean =>
      everything || meets(from[0], from[0], start, ends[0]) ||
      meets(from[1], from[1], start, ends[1]),
    /** A pair that matches no changed rule meets the same rules in the same order as before. */
    concern: (from: readonly [BitRow, BitRow], to: Target): boolean =>
      everything || meets(from[0], to.before, start, ends[0]) ||
      meets(from[1], to.after, start, ends[1]),
  };
}

/** Has a rule from `start` up to `end` its bit in both rows? */
function meets(from: BitRow, to: BitRow, start: number, end: number): boolean {
  for (let n = start >>> 5; n * 32 < end; n++) {
    let word = from[n]! & to[n]!;
    if (n === start >>> 5) word &= -1 << (start & 31);
    if (end - n * 32 < 32) word &= (1 << (end & 31)) - 1;
    if (word !== 0) return true;
  }
  return false;
}

function allTargets(
  policies: readonly [CompiledPolicy, CompiledPolicy],
  nodes: readonly PolicyNode[],
): Target[] {
  const [before, after] = policies;
  return [
    ...nodes.map(({ id }) => ({ to: id, before: before.index.to(id), after: after.index.to(id) })),
    ...rangesOf([...before.rules, ...after.rules]).map(({ text, sample }) => ({
      to: text,
      before: before.index.address(sample),
      after: after.index.address(sample),
    })),
  ];
}

/** The ranges that rules name, each with an address that lies in no smaller one of them; without those that have none. */
function rangesOf(rules: readonly AclRule[]): { readonly text: string; readonly sample: string }[] {
  const cidrs = new Map<string, Cidr>();
  for (const { to } of rules) {
    const cidr = parseCidr(to);
    if (cidr !== null) cidrs.set(cidrKey(cidr), cidr);
  }
  const sorted = [...cidrs.values()].sort((a, b) => a.prefix - b.prefix);
  return sorted.flatMap((cidr) => {
    const within = sorted.filter((other) =>
      other.prefix > cidr.prefix && contains(cidr, other.bytes)
    );
    let sample: Uint8Array | null = cidr.bytes;
    for (;;) {
      const at: Uint8Array = sample;
      const inner = within.find((other) => contains(other, at));
      if (inner === undefined) break;
      sample = addressBehind(inner);
      if (sample === null || !contains(cidr, sample)) return [];
    }
    return [{ text: `${ipToText(cidr.bytes)}/${cidr.prefix}`, sample: ipToText(sample) }];
  });
}

function comparePair(
  [before, after]: readonly [CompiledPolicy, CompiledPolicy],
  from: readonly [BitRow, BitRow],
  target: Target,
  protocol: FlowProtocol,
  origin: NodeId,
  budget: { work: number },
): PolicyDifference[] {
  const decide = (policy: CompiledPolicy, from: BitRow, to: BitRow, port: number) => {
    const rule = policy.table.first(from, to, protocol, port);
    const allowed = policy.rules.length === 0 || policy.rules[rule]?.action === "allow";
    return { rule: rule < 0 ? null : rule, allowed };
  };
  const rules = [
    ...commonRules(before, from[0], target.before),
    ...commonRules(after, from[1], target.after),
  ];
  const starts = protocol === "icmp"
    ? [0]
    : [...new Set([0, ...rules.flatMap(boundaries)])].sort((a, b) => a - b);
  const cost = from[0].length + from[1].length + rules.length;
  const found: PolicyDifference[] = [];
  for (const [n, port] of starts.entries()) {
    if ((budget.work -= cost) < 0) return found;
    const was = decide(before, from[0], target.before, port);
    const is = decide(after, from[1], target.after, port);
    if (was.allowed === is.allowed) continue;
    const end = protocol === "icmp" ? 0 : (starts[n + 1] ?? 65_536) - 1;
    const last = found.at(-1);
    const difference: PolicyDifference = {
      change: is.allowed ? "allowed" : "denied",
      from: origin,
      to: target.to,
      protocol,
      ports: { from: port, to: end },
      ruleBefore: was.rule,
      ruleAfter: is.rule,
    };
    if (last !== undefined && joins(last, difference)) {
      found[found.length - 1] = { ...last, ports: { from: last.ports.from, to: end } };
    } else found.push(difference);
  }
  return found;
}

function joins(a: PolicyDifference, b: PolicyDifference): boolean {
  return a.change === b.change && a.ports.to + 1 === b.ports.from &&
    a.ruleBefore === b.ruleBefore && a.ruleAfter === b.ruleAfter;
}

/** The rules that match both sides of a pair. */
function* commonRules({ rules }: CompiledPolicy, from: BitRow, to: BitRow): Iterable<AclRule> {
  for (let n = 0; n < from.length; n++) {
    for (let word = from[n]! & to[n]!; word !== 0; word &= word - 1) {
      yield rules[n * 32 + 31 - Math.clz32(word & -word)]!;
    }
  }
}

/** Ports at which a rule begins or ceases to match. */
function boundaries({ ports }: AclRule): number[] {
  return ports.flatMap(({ from, to }) => to < 65_535 ? [from, to + 1] : [from]);
}

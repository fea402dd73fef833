import type { RulesTable, RuleTable } from "../loop/types.ts";
import type { MeshRules } from "./snapshot.ts";

/** Everything outside the mesh, IPv4 in its mapped form included. */
const everywhere = "::/0";

/**
 * Rules as the loop has them. There a rule without `behind` is for all packets, and one with it only for those that leave the
 * mesh at the other end. An allow rule for a node opens nothing behind it: what leaves is therefore decided first, by rules with
 * `behind` alone, and what does not leave passes these by.
 *
 * @param leaves whether packets leave the mesh at the other end at all
 */
export function ruleTables({ rules, otherwise }: MeshRules, leaves: boolean): RulesTable {
  const inside: RuleTable[] = [];
  const outside: RuleTable[] = [];
  for (const { allow, protocols, ports, to } of rules) {
    const rule = { allow, protocols, ports };
    if (typeof to === "string") inside.push(rule);
    if (to !== "node") {
      outside.push({ ...rule, behind: typeof to === "string" ? everywhere : to.cidr });
    }
  }
  if (!leaves) return { rules: inside, otherwise };
  outside.push({ allow: otherwise, protocols: 7, ports: [], behind: everywhere });
  return { rules: [...outside, ...inside], otherwise };
}

import type { NodeId } from "../identity/types.ts";

export type FlowProtocol = "tcp" | "udp" | "icmp";

/** Ports from `from` to `to`, both included. */
export interface PortRange {
  readonly from: number;
  readonly to: number;
}

/**
 * One line of the access policy. A pattern is `*`, `tag:<tag>`, an exact name, or a glob (`*`, `?`, `[..]`) over node ids; `to` may
 * also be a CIDR: a destination behind an exit node. Empty lists of ports and protocols mean all.
 *
 * A node in `to` of an allow rule opens that node and nothing behind it; in a deny rule it closes the node and everything behind it.
 * `*` is everything.
 */
export interface AclRule {
  readonly action: "allow" | "deny";
  readonly from: string;
  readonly to: string;
  readonly ports: readonly PortRange[];
  readonly protocols: readonly FlowProtocol[];
  readonly comment: string;
}

/** What somebody expects of the policy, kept beside it: a change that breaks it is refused unless forced. */
export interface AclAssertion {
  readonly from: string;
  readonly to: string;
  readonly port: number;
  readonly protocol: FlowProtocol;
  readonly expect: "allow" | "deny";
}

/** What the policy knows of a node. */
export interface PolicyNode {
  readonly id: NodeId;
  readonly name: string | null;
  readonly tags: readonly string[];
  /** Its mesh addresses: a flow for one of them is a flow to this node, wherever it leaves for it. @default none */
  readonly addresses?: readonly string[];
}

/** A flow somebody asks about. */
export interface PolicyFlow {
  readonly from: NodeId;
  readonly to: NodeId;
  readonly protocol: FlowProtocol;
  /** 0 where the protocol has none. */
  readonly port: number;
  /** Address behind the exit node `to`, when the flow leaves the mesh there. */
  readonly address?: string;
}

/** The answer, with the rule that gave it. */
export interface Verdict {
  readonly allowed: boolean;
  /** Index of the rule that decided; null when none did. */
  readonly rule: number | null;
  readonly reason: "open" | "rule" | "unmatched";
}

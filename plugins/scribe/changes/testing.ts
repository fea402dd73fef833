import { emptyBody } from "../../../core/netconfig/empty_body.ts";
import type { ConfigBody, TokenEntry } from "../../../core/netconfig/types.ts";
import type { AclRule } from "../../../core/policy/types.ts";
import type { Change, ChangeContext } from "./types.ts";

/** Support for tests only: three nodes, and a config to change. */

export const [self, laptop, server] = ["5", "1", "2"].map((digit) => digit.repeat(32)) as [
  string,
  string,
  string,
];

export const context: ChangeContext = {
  now: 1_000_000,
  self,
  nodes: [
    { id: self, meshAddresses: ["10.100.0.5"] },
    { id: laptop, meshAddresses: ["10.100.0.1", "fd00::1"] },
  ],
};

export const start: ConfigBody = emptyBody;

/** The body after a change. */
export function after<A>(body: ConfigBody, change: Change<A>, argument: A): ConfigBody {
  return change(body, argument, context).body;
}

export function rule(from: string, to: string, changes: Partial<AclRule> = {}): AclRule {
  return { action: "allow", from, to, ports: [], protocols: [], comment: "", ...changes };
}

export function tokenEntry(changes: Partial<TokenEntry> = {}): TokenEntry {
  return {
    id: "a1".repeat(8),
    sealedKey: "",
    createdAt: context.now,
    expiresAt: null,
    maxUses: 1,
    roles: [],
    tags: [],
    name: null,
    ephemeralMs: null,
    ...changes,
  };
}

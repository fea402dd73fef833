import type { AclAssertion, AclRule } from "../../../core/policy/types.ts";

/** A rule in a note. */
export function ruleText({ action, from, to, ports, protocols }: AclRule): string {
  const where = ports.map((port) => port.from === port.to ? port.from : `${port.from}-${port.to}`);
  return [
    `${action} ${from} -> ${to}`,
    ...(protocols.length > 0 ? [protocols.join(",")] : []),
    ...(ports.length > 0 ? [`ports ${where.join(",")}`] : []),
  ].join(" ").slice(0, 200);
}

export function assertionText({ expect, from, to, port, protocol }: AclAssertion): string {
  return `${expect} ${from} -> ${to}:${port} ${protocol}`;
}

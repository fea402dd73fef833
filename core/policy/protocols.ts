import { PolicyError } from "./errors.ts";
import type { FlowProtocol } from "./types.ts";

/** Protocols a rule may name. */
export const flowProtocols: readonly FlowProtocol[] = ["tcp", "udp", "icmp"];

/**
 * Reads `tcp,udp`; `*` and nothing mean all, an empty list. A protocol named twice counts once.
 * @throws {PolicyError} POLICY_PROTOCOLS, naming the part that is wrong
 */
export function parseProtocols(text: string): FlowProtocol[] {
  const trimmed = text.trim();
  if (trimmed === "" || trimmed === "*") return [];
  const named = trimmed.split(",", flowProtocols.length * 4).map((part) => {
    const name = part.trim().toLowerCase();
    const protocol = flowProtocols.find((known) => known === name);
    if (protocol === undefined) {
      throw new PolicyError(
        "POLICY_PROTOCOLS",
        `"${name.slice(0, 40)}" is not a protocol: write tcp, udp or icmp`,
        { part: name.slice(0, 40) },
      );
    }
    return protocol;
  });
  return [...new Set(named)];
}

/** The inverse of `parseProtocols`. */
export function formatProtocols(protocols: readonly FlowProtocol[]): string {
  return protocols.length === 0 ? "*" : protocols.join(",");
}

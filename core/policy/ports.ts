import { PolicyError } from "./errors.ts";
import { maxPortRanges } from "./limits.ts";
import type { PortRange } from "./types.ts";

/**
 * Reads `22,443,8000-9000`; `*` and nothing mean all ports, an empty list. Ranges stay in the order they are written in.
 * @throws {PolicyError} POLICY_PORTS, naming the part that is wrong
 */
export function parsePorts(text: string): PortRange[] {
  const trimmed = text.trim();
  if (trimmed === "" || trimmed === "*") return [];
  const parts = trimmed.split(",", maxPortRanges + 1);
  if (parts.length > maxPortRanges) {
    throw new PolicyError(
      "POLICY_PORTS",
      `A rule takes ${maxPortRanges} ports and ranges at most; write two rules`,
    );
  }
  return parts.map(parseRange);
}

function parseRange(text: string): PortRange {
  const part = text.trim();
  const match = /^(\d{1,5})(?:\s*-\s*(\d{1,5}))?$/.exec(part);
  const from = Number(match?.[1]);
  const to = Number(match?.[2] ?? match?.[1]);
  if (match === null || from < 1 || to > 65_535 || from > to) {
    throw new PolicyError(
      "POLICY_PORTS",
      `"${part.slice(0, 40)}" is not a port (1 to 65535) or a range such as 8000-9000`,
      { part: part.slice(0, 40) },
    );
  }
  return { from, to };
}

/** The inverse of `parsePorts`. Everything from port 0 on is all ports as well. */
export function formatPorts(ranges: readonly PortRange[]): string {
  if (ranges.length === 0 || ranges.some(({ from, to }) => from === 0 && to === 65_535)) return "*";
  return ranges.map(({ from, to }) => from === to ? `${from}` : `${from}-${to}`).join(",");
}

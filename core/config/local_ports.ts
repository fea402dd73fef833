import { ConfigError } from "./errors.ts";

/** Which ports of its own loopback a node lets other members reach. Plain data: it crosses a process boundary. */
export type LocalPorts = "all" | readonly { readonly from: number; readonly to: number }[];

/** Ssh, http and https: what people tunnel to. Anything else that hides behind 127.0.0.1 has to be named. */
export const defaultLocalPorts = "22,80,443";

const maxRanges = 64;

/** `all`, `none`, or ports and ranges separated by commas: `22,80,8000-8100`. */
export function parseLocalPorts(text: string): LocalPorts {
  const word = text.trim().toLowerCase();
  if (word === "all") return "all";
  if (word === "none") return [];
  const parts = word.split(",");
  if (parts.length > maxRanges) throw new ConfigError(`at most ${maxRanges} ranges of ports`);
  return parts.map((part) => {
    const match = /^\s*(\d{1,5})(?:\s*-\s*(\d{1,5}))?\s*$/.exec(part);
    const from = Number(match?.[1] ?? 0);
    const to = Number(match?.[2] ?? from);
    if (from < 1 || to > 65_535 || from > to) {
      throw new ConfigError(
        `"${
          part.slice(0, 40)
        }" is not a port; write all, none, or ports and ranges such as 22,8000-8100`,
      );
    }
    return { from, to };
  });
}

/** Whether another member may reach this loopback port. */
export function allowsLocalPort(ports: LocalPorts, port: number): boolean {
  return ports === "all" || ports.some((range) => port >= range.from && port <= range.to);
}

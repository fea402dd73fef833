import { isIP } from "node:net";

/** Where the servers are named that this machine asks for names: by itself, or behind its own resolver. */
export const resolverFiles: readonly string[] = [
  "/etc/resolv.conf",
  "/run/systemd/resolve/resolv.conf",
];

/** The servers a `resolv.conf` names, without those of this machine. */
export function parseNameservers(text: string): readonly string[] {
  const found = [...text.matchAll(/^\s*nameserver\s+(\S+)\s*$/gm)].map(([, ip = ""]) => ip);
  return found.filter((ip) => isIP(ip) !== 0 && ip !== "::1" && !ip.startsWith("127."));
}
